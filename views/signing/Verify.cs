// A server verifies a request before it parses the body, here with ASP.NET Core:
//
//   var body = HttpMethods.IsGet(request.Method)
//       ? Encoding.UTF8.GetBytes(request.QueryString.Value.TrimStart('?'))
//       : received; // the bytes of request.Body
//   var h = request.Headers;
//   if (!Bookhook.Verify(secret, h["webhook-id"], h["webhook-timestamp"], h["webhook-signature"], body))
//       return Results.Unauthorized();

using System;
using System.Linq;
using System.Security.Cryptography;
using System.Text;

public static class Bookhook
{
    /// <summary>
    /// Reports whether a request is from Bookhook: its body, or the query string of a GET, is signed
    /// with the secret. A header that is missing is null.
    /// </summary>
    public static bool Verify(string secret, string id, string timestamp, string signatures, byte[] body)
    {
        if (string.IsNullOrEmpty(secret) || string.IsNullOrEmpty(id) || signatures == null)
            return false;
        if (!long.TryParse(timestamp, out var seconds))
            return false;
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        if (seconds < now - 300 || seconds > now + 300)
            return false;

        byte[] key;
        try
        {
            key = Convert.FromBase64String(secret.Replace("whsec_", ""));
        }
        catch (FormatException)
        {
            return false;
        }
        if (key.Length == 0)
            return false;

        using (var hmac = new HMACSHA256(key))
        {
            var signed = Encoding.UTF8.GetBytes(id + "." + timestamp + ".").Concat(body).ToArray();
            var expected = Encoding.UTF8.GetBytes("v1," + Convert.ToBase64String(hmac.ComputeHash(signed)));
            return signatures.Split(' ').Select(Encoding.UTF8.GetBytes)
                .Any(one => CryptographicOperations.FixedTimeEquals(one, expected));
        }
    }
}
