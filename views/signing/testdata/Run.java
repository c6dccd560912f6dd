import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Scanner;

/** Reads a case from each line: secret, id, timestamp, signatures and body, each in base64, or - for what is missing. */
final class Run {
  public static void main(String[] args) {
    Scanner in = new Scanner(System.in, StandardCharsets.UTF_8);
    while (in.hasNextLine()) {
      String[] parts = in.nextLine().split(" ");
      String body = text(parts[4]);
      System.out.println(
          Bookhook.verify(text(parts[0]), text(parts[1]), text(parts[2]), text(parts[3]), body.getBytes(StandardCharsets.UTF_8)));
    }
  }

  private static String text(String part) {
    return part.equals("-") ? null : new String(Base64.getDecoder().decode(part.substring(1)), StandardCharsets.UTF_8);
  }
}
