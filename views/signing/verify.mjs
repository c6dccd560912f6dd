// A server verifies a request before it parses the body:
//
//   const body = request.method === "GET" ? request.url.replace(/^[^?]*\??/, "") : rawBody;
//   if (!verify(process.env.BOOKHOOK_SECRET, request.headers, body)) {
//     response.writeHead(401).end();
//     return;
//   }

import { createHmac, timingSafeEqual } from "node:crypto";

// verify reports whether a request is from Bookhook: its body (a Buffer or string, as received), or
// the query string of a GET, is signed with the secret.
export function verify(secret, headers, body) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"] ?? "";
  const signatures = headers["webhook-signature"] ?? "";
  if (!id || !/^\d+$/.test(timestamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from((secret ?? "").replace("whsec_", ""), "base64");
  if (key.length === 0) return false;
  const hmac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  const expected = Buffer.from(`v1,${hmac}`);
  return signatures.split(" ").some((text) => {
    const signature = Buffer.from(text);
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  });
}
