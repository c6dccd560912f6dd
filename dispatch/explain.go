package dispatch

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"bookhook/webhook"
)

// maxQuoted is how much of a text that others wrote is quoted, in bytes.
const maxQuoted = 300

// explain says in plain words, for the operator, why there was no complete
// answer and what to do about it.
func (s *sender) explain(f webhook.Failure, err error, target string) string {
	host := hostOf(target)
	switch f {
	case webhook.FailBlocked:
		blocked, _ := errors.AsType[*BlockedError](err)
		return blocked.Error()
	case webhook.FailDNS:
		return explainDNS(err)
	case webhook.FailTLS:
		return explainTLS(err, host)
	case webhook.FailRefused:
		return fmt.Sprintf("Nothing answers at %s: the connection was refused. "+
			"Check that your server is running, and the port in the URL.", cmp.Or(dialled(err), host))
	case webhook.FailTimeout:
		return s.explainTimeout(err, host)
	case webhook.FailInternal:
		return "Bookhook could not make the request: " + quote(err.Error()) + ". Whoever runs this Bookhook can see more in its log."
	}
	return explainNetwork(err, host)
}

func explainDNS(err error) string {
	dns, _ := errors.AsType[*net.DNSError](err)
	if dns.IsNotFound {
		return fmt.Sprintf("There is no server by the name of %s: the name has no address. Check its spelling in the URL.", quote(dns.Name))
	}
	return fmt.Sprintf("The name %s could not be looked up: the name servers gave no usable answer. "+
		"If this stays so, check the DNS records of the name.", quote(dns.Name))
}

func explainTLS(err error, host string) string {
	wrongName, isName := errors.AsType[x509.HostnameError](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	_, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, isPlain := errors.AsType[tls.RecordHeaderError](err)
	op, isOp := errors.AsType[*net.OpError](err)
	switch {
	case isName:
		return fmt.Sprintf("The certificate of %s is not valid for that name%s. Install one that is.", host, namesOf(wrongName.Certificate))
	case isInvalid && invalid.Reason == x509.Expired:
		return explainExpired(invalid.Cert, host)
	case isUnknown:
		return fmt.Sprintf("The certificate of %s is not signed by an authority that Bookhook trusts: it is self-signed, "+
			"or the intermediate certificate is missing on your server. Install a certificate of a public authority, with its intermediates.", host)
	case isPlain:
		return fmt.Sprintf("%s does not speak TLS on this port. Check the port in the URL; "+
			"an address without TLS begins with http://.", host)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return fmt.Sprintf("%s ended the connection during the TLS handshake. Check the TLS settings of your server.", host)
	case isOp && op.Op == "remote error": // an alert
		return fmt.Sprintf("%s refused the TLS handshake (%s). Check the TLS settings of your server; TLS 1.2 or newer is needed.",
			host, quote(strings.TrimPrefix(op.Err.Error(), "tls: ")))
	}
	return fmt.Sprintf("No secure connection to %s could be made (%s). Check certificate and TLS settings of your server; "+
		"TLS 1.2 or newer is needed.", host, quote(err.Error()))
}

func namesOf(certificate *x509.Certificate) string {
	if certificate == nil || len(certificate.DNSNames) == 0 {
		return ""
	}
	return ": it is for " + quote(strings.Join(certificate.DNSNames, ", "))
}

func explainExpired(certificate *x509.Certificate, host string) string {
	const day = "2 January 2006, 15:04 MST"
	if time.Now().Before(certificate.NotBefore) {
		return fmt.Sprintf("The certificate of %s is not valid yet: it begins on %s. "+
			"Install one that is, or have the clock of this Bookhook checked.", host, certificate.NotBefore.UTC().Format(day))
	}
	return fmt.Sprintf("The certificate of %s is not valid any more: it expired on %s. Renew it.", host, certificate.NotAfter.UTC().Format(day))
}

func (s *sender) explainTimeout(err error, host string) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return fmt.Sprintf("%s could not be reached: no connection within %s. "+
			"Check that your server is running and that a firewall lets Bookhook in.", cmp.Or(dialled(err), host), s.connect)
	}
	if _, ok := errors.AsType[handshakeError](err); ok {
		return fmt.Sprintf("%s did not finish the TLS handshake within %s. "+
			"Check that it speaks TLS on this port, and what it is busy with.", host, s.connect)
	}
	return fmt.Sprintf("%s gave no complete answer within %s. %s", host, s.timeout, s.hurry)
}

// explainNetwork says how far the exchange came before it broke.
func explainNetwork(err error, host string) string {
	at, _ := errors.AsType[exchangeError](err)
	closed := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	reset := errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	switch {
	case (closed || reset) && at.inBody:
		return host + " ended the connection before its answer was complete: the body is shorter than it announced. " +
			"Look in the log of your server, and of any proxy before it."
	case (closed || reset) && at.begun:
		return host + " ended the connection before its answer was complete: in the middle of the headers. " +
			"Look in the log of your server, and of any proxy before it."
	case closed || reset:
		return host + " ended the connection without an answer. Look in the log of your server, and of any proxy or firewall before it."
	case errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH):
		return fmt.Sprintf("There is no way to %s from here: host or network is unreachable. "+
			"Check the address in the URL, and that your network is connected.", cmp.Or(dialled(err), host))
	case at.inBody:
		return fmt.Sprintf("%s began to answer, but the body of its answer cannot be read (%s). "+
			"Look at what writes the answer: your server, or a proxy before it.", host, reason(err))
	case at.begun:
		return explainNoHTTP(err, host)
	}
	return fmt.Sprintf("The exchange with %s failed (%s). Look in the log of your server, and of any proxy before it.", host, reason(err))
}

// explainNoHTTP is for what came back and could not be read as an answer.
func explainNoHTTP(err error, host string) string {
	text := reason(err)
	if strings.Contains(text, tlsAlert) {
		return host + " speaks TLS on this port. The URL must begin with https://."
	}
	return fmt.Sprintf("What came back from %s cannot be read as an HTTP answer (%s). "+
		"Check the port in the URL; if it is right, look at what writes the answer: your server, or a proxy before it.", host, text)
}

// tlsAlert is how net/http quotes the answer of a TLS server to plain HTTP.
const tlsAlert = `"\x15\x03`

// reason is the text of an error without what says nothing to its reader.
func reason(err error) string {
	text := strings.TrimPrefix(err.Error(), "net/http: ")
	text = strings.TrimPrefix(text, "HTTP/1.x transport connection broken: ")
	return quote(strings.TrimPrefix(strings.TrimPrefix(text, "net/http: "), "http: "))
}

// redirected explains a 3xx.
func redirected(status int, location string) string {
	text := fmt.Sprintf("Your server answered %s, a redirect", statusText(status))
	if location != "" {
		text += " to " + quote(location)
	}
	return text + ". Bookhook does not follow redirects; enter the final address as the URL of the webhook."
}

// answeredText explains an answer that is no success.
func answeredText(status int, wire webhook.Request) string {
	text := fmt.Sprintf("Your server answered %s.", statusText(status))
	switch {
	case wire.Only200 && status >= 201 && status <= 299:
		return text + " In this format only 200 counts as success."
	case status == http.StatusSwitchingProtocols:
		return text + " It wants to go on in another protocol, as for a WebSocket. The URL must take plain HTTP requests."
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return text + " Let requests with a valid webhook-signature in without signing in."
	case status == http.StatusNotFound:
		return text + " Check the path in the URL."
	case status == http.StatusMethodNotAllowed:
		return text + " The URL must take " + wire.Method + " requests."
	}
	return text
}

// statusText is such as "503 (Service Unavailable)".
func statusText(status int) string {
	if name := http.StatusText(status); name != "" {
		return fmt.Sprintf("%d (%s)", status, name)
	}
	return fmt.Sprint(status)
}

func hostOf(target string) string {
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		return u.Host
	}
	return "The server"
}

// quote shortens a text that others wrote and keeps it readable: what is not
// UTF-8 or cannot be seen (control characters, those that turn the direction of
// the text) becomes a replacement character.
func quote(text string) string {
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
