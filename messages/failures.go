package messages

// delivered ends the remarks on a success.
const delivered = "It counts as delivered and is not sent again."

// failures says why an attempt failed, and what checking a URL found: what
// happened, and what to do about it. In those about a status the first argument
// is the name of the webhook. Those of a success are remarks about its body.
var failures = Texts{
	"attempt.blocked": "Bookhook does not call %s: it is %s. Use an address that is reachable from the internet, " +
		"or ask the person who runs this Bookhook to allow it.",
	"attempt.blocked_name": "Bookhook does not call %s: the name leads to %s. Use a name that is reachable from the internet, " +
		"or ask the person who runs this Bookhook to allow it.",
	"attempt.dns_not_found": "There is no server by the name of %s: the name has no address. Check its spelling in the URL.",
	"attempt.dns_failed": "The name %s could not be looked up: the name servers gave no usable answer. " +
		"If this persists, check the DNS records of the name.",

	"attempt.tls_wrong_name":     "The certificate of %s is not valid for that name. Install one that is.",
	"attempt.tls_wrong_name_for": "The certificate of %s is not valid for that name: it is for %s. Install one that is.",
	"attempt.tls_not_yet_valid": "The certificate of %s is not valid yet: it begins on %s. " +
		"Install one that is, or have the clock of this Bookhook checked.",
	"attempt.tls_expired": "The certificate of %s is no longer valid: it expired on %s. Renew it.",
	"attempt.tls_untrusted": "The certificate of %s is not signed by an authority that Bookhook trusts: it is self-signed, " +
		"or the intermediate certificate is missing on the server. Install a certificate of a public authority, with its intermediates.",
	"attempt.tls_not_supported": "%s does not support TLS on this port. Check the port in the URL; an address without TLS begins with http://.",
	"attempt.tls_closed":        "%s closed the connection during the TLS handshake. Check the TLS settings of the server.",
	"attempt.tls_alert":         "%s refused the TLS handshake (%s). Check the TLS settings of the server; TLS 1.2 or newer is needed.",
	"attempt.tls_failed": "No secure connection to %s could be made (%s). Check the certificate and the TLS settings of the server; " +
		"TLS 1.2 or newer is needed.",

	"attempt.refused": "Nothing answers at %s: the connection was refused. Check that the server is running, and the port in the URL.",
	"attempt.timeout_connect": "%s could not be reached: no connection within %s. " +
		"Check that the server is running and that a firewall lets Bookhook in.",
	"attempt.timeout_handshake": "%s did not finish the TLS handshake within %s. " +
		"Check that it supports TLS on this port, and what it is busy with.",
	"attempt.timeout_response": "%s gave no complete answer within %s. Answer at once and do the work afterwards.",
	"attempt.timeout_inline":   "%s gave no complete answer within %s. Answer sooner, or give the webhook a longer time limit.",

	"attempt.closed_in_body": "%s closed the connection before its answer was complete: the body is shorter than it announced. " +
		"Check the log of the server, and of any proxy before it.",
	"attempt.closed_in_headers": "%s closed the connection before its answer was complete: in the middle of the headers. " +
		"Check the log of the server, and of any proxy before it.",
	"attempt.closed": "%s closed the connection without an answer. Check the log of the server, and of any proxy or firewall before it.",
	"attempt.kept_closed": "%s closed the connection that was kept from an earlier request, without an answer. That is no failure of the receiver, " +
		"but it may have got the request. Bookhook sends it again at once, on a new connection.",
	"attempt.unreachable": "There is no route to %s: the host or its network is unreachable. " +
		"Check the address in the URL, and that the network of the server is connected.",
	"attempt.unreadable_body": "%s began to answer, but the body of its answer cannot be read (%s). " +
		"Check what writes the answer: the server, or a proxy before it.",
	"attempt.https_expected": "%s expects TLS on this port. The URL must begin with https://.",
	"attempt.not_http": "The answer of %s cannot be read as an HTTP answer (%s). " +
		"Check the port in the URL; if it is right, check what writes the answer: the server, or a proxy before it.",
	"attempt.network": "The exchange with %s failed (%s). Check the log of the server, and of any proxy before it.",

	"attempt.success_closed":     "%s answered %s, but closed the connection before the body of its answer was complete. " + delivered,
	"attempt.success_slow":       "%s answered %s, but the body of its answer was not complete within %s. " + delivered,
	"attempt.success_stopped":    "%s answered %s. Bookhook was stopped before it had read the body of the answer. " + delivered,
	"attempt.success_unreadable": "%s answered %s, but the body of its answer cannot be read (%s). " + delivered,

	"attempt.gone": "%s answered %s, which asks Bookhook never to call this URL again: " +
		"the webhook is switched off. Correct the URL if need be, and switch it on again.",
	"attempt.loop": "%s answered %s: the webhook calls a Bookhook through which this event has come already, so the event would travel in a circle. " +
		"It is not sent again. Change the URL of the webhook to the system that is to receive the events.",
	"attempt.redirect_to":      "%s answered %s, a redirect to %s. Bookhook does not follow redirects; enter the final address as the URL of the webhook.",
	"attempt.redirect":         "%s answered %s, a redirect. Bookhook does not follow redirects; enter the final address as the URL of the webhook.",
	"attempt.status":           "%s answered %s.",
	"attempt.status_only_200":  "%s answered %s. In this format only 200 counts as success.",
	"attempt.status_protocol":  "%s answered %s: it wants to use another protocol, such as WebSocket. The URL must accept plain HTTP requests.",
	"attempt.status_auth":      "%s answered %s. Accept requests with a valid webhook-signature without signing in.",
	"attempt.status_not_found": "%s answered %s. Check the path in the URL.",
	"attempt.status_method":    "%s answered %s. The URL must accept %s requests.",

	"attempt.inline_body": "%s answered 200, but its body is not valid: %s. " +
		"Answer with an empty body, or with a JSON object and the content type application/json.",
	"attempt.internal": "Bookhook could not make the request: %s. The person who runs this Bookhook can see more in its log.",

	"attempt.cut_off":  "Bookhook stopped before or while the request was sent; whether the receiver got it is not known.",
	"attempt.bug":      "there is a bug in Bookhook",
	"attempt.no_place": "Bookhook has too many connections open to make another one. The person who runs this Bookhook can allow it more open files.",

	"probe.timeout":     "%s did not answer within %s.",
	"probe.gone":        "The receiver answers 410 Gone. If it answers a delivery like this, the webhook is switched off.",
	"probe.failing":     "The receiver answers; it answered an empty request with %s. Send a test to see how it answers a delivery.",
	"probe.ok":          "The receiver answers. Send a test to see how it answers a delivery.",
	"probe.redirect":    "The receiver answers %s, a redirect. Bookhook does not follow redirects; enter the final address as the URL of the webhook.",
	"probe.redirect_to": "The receiver answers %s, a redirect to %s. Bookhook does not follow redirects; enter the final address as the URL of the webhook.",

	"address.no_address":    "not an internet address",
	"address.metadata":      "the metadata service of a cloud provider",
	"address.loopback":      "a loopback address",
	"address.private":       "a private address",
	"address.link_local":    "a link-local address",
	"address.shared_nat":    "an address shared behind a provider's NAT",
	"address.unspecified":   "an unspecified address",
	"address.multicast":     "a multicast address",
	"address.broadcast":     "the broadcast address",
	"address.protocols":     "an address reserved for protocols",
	"address.documentation": "an address for documentation",
	"address.benchmarks":    "an address for benchmarks",
	"address.6to4_relay":    "an address of the retired 6to4 relays",
	"address.6to4":          "a 6to4 address, which is no longer in use",
	"address.local_nat64":   "an address of a local NAT64",
	"address.teredo":        "a Teredo address",
	"address.reserved":      "a reserved address",

	"inline.content_type": "it has the content type “%s”",
	"inline.too_long":     "it is longer than %s KiB",
	"inline.not_json":     "it is not valid JSON",
	"inline.no_object":    "it is not a JSON object",
	"inline.cut_off":      "Bookhook stopped during the call, so the answer is not known. The booking counts as refused.",
}
