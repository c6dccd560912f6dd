<?php
// A script verifies a request before it does anything else:
//
//   $get = $_SERVER['REQUEST_METHOD'] === 'GET';
//   $body = $get ? $_SERVER['QUERY_STRING'] : file_get_contents('php://input');
//   if (!verify(getenv('BOOKHOOK_SECRET') ?: '', $_SERVER, $body)) {
//       http_response_code(401);
//       exit;
//   }

/**
 * Reports whether a request is from Bookhook: its body, or the query string of a GET, is signed
 * with the secret.
 */
function verify(string $secret, array $server, string $body): bool
{
    $id = $server['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $server['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    $signatures = $server['HTTP_WEBHOOK_SIGNATURE'] ?? '';
    if ($id === '' || !ctype_digit($timestamp) || abs(time() - (int) $timestamp) > 300) {
        return false;
    }
    $key = base64_decode(str_replace('whsec_', '', $secret), true);
    if ($key === false || $key === '') {
        return false;
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    foreach (explode(' ', $signatures) as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}
