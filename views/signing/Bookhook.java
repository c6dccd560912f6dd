// A servlet verifies a request before it parses the body:
//
//   byte[] body = request.getMethod().equals("GET")
//       ? Objects.toString(request.getQueryString(), "").getBytes(StandardCharsets.UTF_8)
//       : request.getInputStream().readAllBytes();
//   if (!Bookhook.verify(secret, request.getHeader("webhook-id"),
//       request.getHeader("webhook-timestamp"), request.getHeader("webhook-signature"), body)) {
//     response.sendError(401);
//     return;
//   }

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

final class Bookhook {
  /**
   * Reports whether a request is from Bookhook: its body, or the query string of a GET, is signed
   * with the secret. A header that is missing is null.
   */
  static boolean verify(
      String secret, String id, String timestamp, String signatures, byte[] body) {
    if (secret == null || id == null || id.isEmpty() || timestamp == null || signatures == null) {
      return false;
    }
    try {
      long seconds = Long.parseLong(timestamp);
      long now = System.currentTimeMillis() / 1000;
      if (seconds < now - 300 || seconds > now + 300) {
        return false;
      }
      byte[] key = Base64.getDecoder().decode(secret.replace("whsec_", ""));
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256")); // refuses an empty key
      mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
      String hmac = Base64.getEncoder().encodeToString(mac.doFinal(body));
      byte[] expected = ("v1," + hmac).getBytes(StandardCharsets.UTF_8);
      for (String one : signatures.split(" ")) {
        if (MessageDigest.isEqual(one.getBytes(StandardCharsets.UTF_8), expected)) {
          return true;
        }
      }
      return false;
    } catch (IllegalArgumentException | GeneralSecurityException e) { // a number or base64 that is none
      return false;
    }
  }
}
