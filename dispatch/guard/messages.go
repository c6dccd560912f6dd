package guard

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// sentences are for the operator: what happened, and what to do about it.
// {receiver} is the name of the webhook, {0} and so on are the arguments, which
// :status, :date and :kind format.
var sentences = map[string]string{
	"blocked": "Bookhook does not call {0}: it is {1:kind}. Use an address that is reachable from the internet, " +
		"or ask the person who runs this Bookhook to allow it.",
	"dns_not_found": "There is no server by the name of {0}: the name has no address. Check its spelling in the URL.",
	"dns_failed": "The name {0} could not be looked up: the name servers gave no usable answer. " +
		"If this persists, check the DNS records of the name.",

	"tls_wrong_name":     "The certificate of {0} is not valid for that name. Install one that is.",
	"tls_wrong_name_for": "The certificate of {0} is not valid for that name: it is for {1}. Install one that is.",
	"tls_not_yet_valid": "The certificate of {0} is not valid yet: it begins on {1:date}. " +
		"Install one that is, or have the clock of this Bookhook checked.",
	"tls_expired": "The certificate of {0} is not valid any more: it expired on {1:date}. Renew it.",
	"tls_untrusted": "The certificate of {0} is not signed by an authority that Bookhook trusts: it is self-signed, " +
		"or the intermediate certificate is missing on the server. Install a certificate of a public authority, with its intermediates.",
	"tls_not_supported": "{0} does not support TLS on this port. Check the port in the URL; an address without TLS begins with http://.",
	"tls_closed":        "{0} closed the connection during the TLS handshake. Check the TLS settings of the server.",
	"tls_alert":         "{0} refused the TLS handshake ({1}). Check the TLS settings of the server; TLS 1.2 or newer is needed.",
	"tls_failed": "No secure connection to {0} could be made ({1}). Check certificate and TLS settings of the server; " +
		"TLS 1.2 or newer is needed.",

	"refused": "Nothing answers at {0}: the connection was refused. Check that the server is running, and the port in the URL.",
	"timeout_connect": "{0} could not be reached: no connection within {1}. " +
		"Check that the server is running and that a firewall lets Bookhook in.",
	"timeout_handshake": "{0} did not finish the TLS handshake within {1}. " +
		"Check that it supports TLS on this port, and what it is busy with.",
	"timeout_response": "{0} gave no complete answer within {1}. Answer at once and do the work afterwards.",
	"timeout_inline":   "{0} gave no complete answer within {1}. Answer sooner, or give the webhook a longer time limit.",

	"closed_in_body": "{0} closed the connection before its answer was complete: the body is shorter than it announced. " +
		"Check the log of the server, and of any proxy before it.",
	"closed_in_headers": "{0} closed the connection before its answer was complete: in the middle of the headers. " +
		"Check the log of the server, and of any proxy before it.",
	"closed": "{0} closed the connection without an answer. Check the log of the server, and of any proxy or firewall before it.",
	"unreachable": "There is no way to {0} from here: host or network is unreachable. " +
		"Check the address in the URL, and that the network of the server is connected.",
	"unreadable_body": "{0} began to answer, but the body of its answer cannot be read ({1}). " +
		"Check what writes the answer: the server, or a proxy before it.",
	"https_expected": "{0} expects TLS on this port. The URL must begin with https://.",
	"not_http": "The answer of {0} cannot be read as an HTTP answer ({1}). " +
		"Check the port in the URL; if it is right, check what writes the answer: the server, or a proxy before it.",
	"network": "The exchange with {0} failed ({1}). Check the log of the server, and of any proxy before it.",

	"gone": "{receiver} answered {0:status}, which asks Bookhook never to call this URL again: " +
		"the webhook is switched off. Correct the URL if need be, and switch it on again.",
	"redirect_to":      "{receiver} answered {0:status}, a redirect to {1}. Bookhook does not follow redirects; enter the final address as the URL of the webhook.",
	"redirect":         "{receiver} answered {0:status}, a redirect. Bookhook does not follow redirects; enter the final address as the URL of the webhook.",
	"status":           "{receiver} answered {0:status}.",
	"status_only_200":  "{receiver} answered {0:status}. In this format only 200 counts as success.",
	"status_protocol":  "{receiver} answered {0:status}: it wants to use another protocol, such as WebSocket. The URL must accept plain HTTP requests.",
	"status_auth":      "{receiver} answered {0:status}. Accept requests with a valid webhook-signature without signing in.",
	"status_not_found": "{receiver} answered {0:status}. Check the path in the URL.",
	"status_method":    "{receiver} answered {0:status}. The URL must accept {1} requests.",

	"inline_body": "{receiver} answered 200, but its body is not valid: {0}. " +
		"Answer with an empty body, or with a JSON object and the content type application/json.",
	"internal": "Bookhook could not make the request: {0}. The person who runs this Bookhook can see more in its log.",

	"probe_timeout": "{0} did not answer within {1}.",
	"probe_gone":    "{receiver} answers 410 Gone. If it answers a delivery so, the webhook is switched off.",
	"probe_failing": "{receiver} answers; it answered an empty request with {0:status}. Send a test to see how it answers a delivery.",
	"probe_ok":      "{receiver} answers. Send a test to see how it answers a delivery.",
}

// Sentence returns what a person reads about a failure, for the code and the
// arguments of [Classify]; receiver is the name of the webhook, "" if it has
// none yet.
func Sentence(receiver, code string, args []string) string {
	pairs := []string{"{receiver}", cmp.Or(receiver, "The receiver")}
	for i, arg := range args {
		n := "{" + strconv.Itoa(i)
		pairs = append(pairs, n+"}", arg, n+":status}", StatusText(arg), n+":date}", dateText(arg), n+":kind}", Kind(arg).String())
	}
	return strings.NewReplacer(pairs...).Replace(sentences[code])
}

// StatusText returns a status with its name, such as "503 Service Unavailable".
func StatusText(status string) string {
	code, err := strconv.Atoi(status)
	if err != nil {
		return status
	}
	return strings.TrimSpace(status + " " + http.StatusText(code))
}

func dateArg(at time.Time) string { return at.UTC().Format(time.RFC3339) }

func dateText(arg string) string {
	at, err := time.Parse(time.RFC3339, arg)
	if err != nil {
		return arg
	}
	return at.Format("2 January 2006, 15:04 MST")
}

// maxQuoted is how much of a text that others wrote is quoted, in bytes.
const maxQuoted = 300

// Quote truncates a text that others wrote and keeps it readable: what is not
// UTF-8 or not printable (control characters, changes of the direction of
// writing) is replaced.
func Quote(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, text)
	if len(text) > maxQuoted {
		text = strings.ToValidUTF8(text[:maxQuoted], "") + "…"
	}
	return text
}
