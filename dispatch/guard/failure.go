package guard

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bookhook/webhook"
)

// RequestError is a request that got no complete response.
type RequestError struct {
	Err     error         // as the transport or the body returned it
	Host    string        // of the URL, with the port if it has one
	Timeout time.Duration // of the request in all
	Connect time.Duration // of the connection, and of the TLS handshake
	Inline  bool          // the timeout is the webhook's own time limit
	Begun   bool          // bytes of a response arrived
	InBody  bool          // status and headers arrived
	Kept    bool          // a connection was closed that had been used before; see [Wire.KeptClosed]
}

// Error returns the text of the cause.
func (e RequestError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e RequestError) Unwrap() error { return e.Err }

// StatusError is a complete response that is not a success.
type StatusError struct {
	Receiver string // the name of the webhook
	Status   int
	Location string // where a redirect points to
	Method   string // of the request
	Only200  bool   // the format accepts 200 only
	Inline   bool   // a 410 to an inline call does not switch the webhook off
	Loop     bool   // the response has the header by which a Bookhook says that the event came back
}

// Error returns the status.
func (e StatusError) Error() string { return "status " + strconv.Itoa(e.Status) }

// InlineBodyError is a 200 to an inline call with a body that is not valid.
type InlineBodyError struct {
	Receiver string // the name of the webhook
	Problem  webhook.Message
}

// Error returns the problem.
func (e InlineBodyError) Error() string { return e.Problem.Error() }

// maxQuoted is how many characters are quoted of a text of others.
const maxQuoted = 300

func quote(text string) string { return webhook.Quote(text, maxQuoted) }

// Classify explains why a request failed: the reason, and a message for people.
// Anything but a [RequestError], a [StatusError] or an [InlineBodyError] is a bug
// in Bookhook itself, or an error of a platform's package, which may be a message.
func Classify(err error) (webhook.Failure, webhook.Message) {
	if e, ok := errors.AsType[StatusError](err); ok {
		return classifyStatus(e)
	}
	if e, ok := errors.AsType[InlineBodyError](err); ok {
		return webhook.FailAnswer, webhook.NewMessage("attempt.inline_body", e.Receiver).Because(e.Problem)
	}
	if e, ok := errors.AsType[RequestError](err); ok {
		return classifyRequest(e)
	}
	if m, ok := errors.AsType[webhook.Message](err); ok {
		return webhook.FailInternal, webhook.NewMessage("attempt.internal").Because(m)
	}
	return webhook.FailInternal, webhook.NewMessage("attempt.internal", quote(err.Error()))
}

// BodyRemark says of a success why the body of the response was not read to its
// end.
func BodyRemark(e RequestError, status int) webhook.Message {
	switch {
	case timedOut(e):
		return webhook.NewMessage("attempt.success_slow", e.Host, StatusText(status), e.Timeout)
	case errors.Is(e, context.Canceled):
		return webhook.NewMessage("attempt.success_stopped", e.Host, StatusText(status))
	case closed(e):
		return webhook.NewMessage("attempt.success_closed", e.Host, StatusText(status))
	}
	return webhook.NewMessage("attempt.success_unreadable", e.Host, StatusText(status), errorText(e))
}

func classifyRequest(e RequestError) (webhook.Failure, webhook.Message) {
	blocked, isBlocked := errors.AsType[*BlockedError](e)
	dns, isDNS := errors.AsType[*net.DNSError](e)
	_, isHandshake := errors.AsType[handshakeError](e)
	switch {
	case errors.Is(e, ErrNoPlace):
		return webhook.FailInternal, webhook.NewMessage("attempt.no_place")
	case e.Kept:
		return webhook.FailNetwork, webhook.NewMessage("attempt.kept_closed", e.Host)
	case isBlocked:
		return webhook.FailBlocked, blocked.MessageFor(e.Host)
	case isDNS && dns.IsNotFound:
		return webhook.FailDNS, webhook.NewMessage("attempt.dns_not_found", quote(dns.Name))
	case isDNS:
		return webhook.FailDNS, webhook.NewMessage("attempt.dns_failed", quote(dns.Name))
	case timedOut(e):
		return webhook.FailTimeout, timeoutMessage(e)
	case isHandshake:
		return webhook.FailTLS, tlsMessage(e)
	case errors.Is(e, syscall.ECONNREFUSED):
		return webhook.FailRefused, webhook.NewMessage("attempt.refused", cmp.Or(DialledAddr(e), e.Host))
	}
	return webhook.FailNetwork, networkMessage(e)
}

func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

func timeoutMessage(e RequestError) webhook.Message {
	op, isOp := errors.AsType[*net.OpError](e)
	_, isHandshake := errors.AsType[handshakeError](e)
	switch {
	case isOp && op.Op == "dial":
		return webhook.NewMessage("attempt.timeout_connect", cmp.Or(DialledAddr(e), e.Host), e.Connect)
	case isHandshake:
		return webhook.NewMessage("attempt.timeout_handshake", e.Host, e.Connect)
	case e.Inline:
		return webhook.NewMessage("attempt.timeout_inline", e.Host, e.Timeout)
	}
	return webhook.NewMessage("attempt.timeout_response", e.Host, e.Timeout)
}

func tlsMessage(e RequestError) webhook.Message {
	wrongName, isName := errors.AsType[x509.HostnameError](e)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](e)
	_, isUnknown := errors.AsType[x509.UnknownAuthorityError](e)
	_, isPlain := errors.AsType[tls.RecordHeaderError](e)
	op, isOp := errors.AsType[*net.OpError](e)
	switch {
	case isName:
		return wrongNameMessage(e.Host, wrongName.Certificate)
	case isInvalid && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		return webhook.NewMessage("attempt.tls_not_yet_valid", e.Host, date(invalid.Cert.NotBefore))
	case isInvalid && invalid.Reason == x509.Expired:
		return webhook.NewMessage("attempt.tls_expired", e.Host, date(invalid.Cert.NotAfter))
	case isUnknown:
		return webhook.NewMessage("attempt.tls_untrusted", e.Host)
	case isPlain:
		return webhook.NewMessage("attempt.tls_not_supported", e.Host)
	case closed(e):
		return webhook.NewMessage("attempt.tls_closed", e.Host)
	case isOp && op.Op == "remote error": // an alert
		return webhook.NewMessage("attempt.tls_alert", e.Host, quote(strings.TrimPrefix(op.Err.Error(), "tls: ")))
	}
	return webhook.NewMessage("attempt.tls_failed", e.Host, quote(e.Error()))
}

func wrongNameMessage(host string, certificate *x509.Certificate) webhook.Message {
	if certificate == nil || len(certificate.DNSNames) == 0 {
		return webhook.NewMessage("attempt.tls_wrong_name", host)
	}
	return webhook.NewMessage("attempt.tls_wrong_name_for", host, quote(strings.Join(certificate.DNSNames, ", ")))
}

// closed reports whether the peer closed or reset the connection.
func closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// tlsAlert is how net/http quotes the response of a TLS server to plain HTTP.
const tlsAlert = `"\x15\x03`

// networkMessage says how far the exchange got before it failed.
func networkMessage(e RequestError) webhook.Message {
	text := errorText(e)
	switch {
	case closed(e) && e.InBody:
		return webhook.NewMessage("attempt.closed_in_body", e.Host)
	case closed(e) && e.Begun:
		return webhook.NewMessage("attempt.closed_in_headers", e.Host)
	case closed(e):
		return webhook.NewMessage("attempt.closed", e.Host)
	case errors.Is(e, syscall.EHOSTUNREACH) || errors.Is(e, syscall.ENETUNREACH):
		return webhook.NewMessage("attempt.unreachable", cmp.Or(DialledAddr(e), e.Host))
	case e.InBody:
		return webhook.NewMessage("attempt.unreadable_body", e.Host, text)
	case e.Begun && strings.Contains(text, tlsAlert):
		return webhook.NewMessage("attempt.https_expected", e.Host)
	case e.Begun:
		return webhook.NewMessage("attempt.not_http", e.Host, text)
	}
	return webhook.NewMessage("attempt.network", e.Host, text)
}

// errorText returns the text of an error without the prefixes of net/http.
func errorText(err error) string {
	text := strings.TrimPrefix(err.Error(), "net/http: ")
	text = strings.TrimPrefix(text, "HTTP/1.x transport connection broken: ")
	return quote(strings.TrimPrefix(strings.TrimPrefix(text, "net/http: "), "http: "))
}

func classifyStatus(e StatusError) (webhook.Failure, webhook.Message) {
	status := StatusText(e.Status)
	switch {
	case e.Status == http.StatusGone && !e.Inline:
		return webhook.FailGone, webhook.NewMessage("attempt.gone", e.Receiver, status)
	case e.Status == http.StatusLoopDetected && e.Loop:
		return webhook.FailLoop, webhook.NewMessage("attempt.loop", e.Receiver, status)
	case e.Status >= 300 && e.Status <= 399 && e.Location != "":
		return webhook.FailRedirect, webhook.NewMessage("attempt.redirect_to", e.Receiver, status, quote(e.Location))
	case e.Status >= 300 && e.Status <= 399:
		return webhook.FailRedirect, webhook.NewMessage("attempt.redirect", e.Receiver, status)
	case e.Only200 && e.Status >= 201 && e.Status <= 299:
		return webhook.FailStatus, webhook.NewMessage("attempt.status_only_200", e.Receiver, status)
	case e.Status == http.StatusSwitchingProtocols:
		return webhook.FailStatus, webhook.NewMessage("attempt.status_protocol", e.Receiver, status)
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return webhook.FailStatus, webhook.NewMessage("attempt.status_auth", e.Receiver, status)
	case e.Status == http.StatusNotFound:
		return webhook.FailStatus, webhook.NewMessage("attempt.status_not_found", e.Receiver, status)
	case e.Status == http.StatusMethodNotAllowed:
		return webhook.FailStatus, webhook.NewMessage("attempt.status_method", e.Receiver, status, e.Method)
	}
	return webhook.FailStatus, webhook.NewMessage("attempt.status", e.Receiver, status)
}

// DialledAddr returns the address of a failed connection, "" for other errors.
func DialledAddr(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" && op.Addr != nil {
		return op.Addr.String()
	}
	return ""
}

// StatusText returns a status with its name, such as "503 Service Unavailable".
func StatusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

func date(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 MST") }
