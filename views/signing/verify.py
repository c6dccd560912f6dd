# A server verifies a request before it parses the body, here with Flask:
#
#   body = request.query_string if request.method == "GET" else request.get_data()
#   if not verify(os.environ["BOOKHOOK_SECRET"], request.headers, body):
#       abort(401)

import base64
import hashlib
import hmac
import time


def verify(secret, headers, body):
    """Report whether a request is from Bookhook: its body (bytes), or the query string of a GET, is signed
    with the secret.
    """
    message_id = headers.get("webhook-id") or ""
    timestamp = headers.get("webhook-timestamp") or ""
    signatures = headers.get("webhook-signature") or ""
    try:
        age = abs(time.time() - int(timestamp))
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (ValueError, OverflowError):
        return False
    if not message_id or age > 300 or not key:
        return False
    signed = f"{message_id}.{timestamp}.".encode(errors="replace") + body
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    candidates = [one.encode(errors="replace") for one in signatures.split(" ")]
    return any(hmac.compare_digest(one, expected) for one in candidates)
