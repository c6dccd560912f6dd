using System;
using System.Linq;
using System.Text;

// Reads a case from each line: secret, id, timestamp, signatures and body, each in base64, or - for what is missing.
public static class Run
{
    public static void Main()
    {
        for (var line = Console.ReadLine(); line != null; line = Console.ReadLine())
        {
            var parts = line.Split(' ').Select(Text).ToArray();
            Console.WriteLine(Bookhook.Verify(parts[0], parts[1], parts[2], parts[3], Encoding.UTF8.GetBytes(parts[4])) ? "true" : "false");
        }
    }

    private static string Text(string part)
    {
        return part == "-" ? null : Encoding.UTF8.GetString(Convert.FromBase64String(part.Substring(1)));
    }
}
