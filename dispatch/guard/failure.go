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
}

// Error returns the text of the cause.
func (e RequestError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e RequestError) Unwrap() error { return e.Err }

// StatusError is a complete response that is not a success.
type StatusError struct {
	Status   int
	Location string // where a redirect points to
	Method   string // of the request
	Only200  bool   // the format accepts 200 only
	Inline   bool   // a 410 to an inline call does not switch the webhook off
}

// Error returns the status.
func (e StatusError) Error() string { return "status " + strconv.Itoa(e.Status) }

// InlineBodyError is a 200 to an inline call with a body that is not valid.
type InlineBodyError struct {
	Problem string // what is wrong with the body
}

// Error returns the problem.
func (e InlineBodyError) Error() string { return e.Problem }

// Classify explains why a request failed: the reason, and the code of its
// sentence with the arguments ([Sentence]). Anything but a [RequestError], a
// [StatusError] or an [InlineBodyError] is a mistake of Bookhook itself.
func Classify(err error) (reason webhook.Failure, code string, args []string) {
	if e, ok := errors.AsType[StatusError](err); ok {
		return classifyStatus(e)
	}
	if e, ok := errors.AsType[InlineBodyError](err); ok {
		return webhook.FailAnswer, "inline_body", []string{e.Problem}
	}
	e, ok := errors.AsType[RequestError](err)
	if !ok {
		return webhook.FailInternal, "internal", []string{Quote(err.Error())}
	}
	blocked, isBlocked := errors.AsType[*BlockedError](err)
	dns, isDNS := errors.AsType[*net.DNSError](err)
	_, isHandshake := errors.AsType[handshakeError](err)
	switch {
	case isBlocked:
		code, args = blocked.Message()
		return webhook.FailBlocked, code, args
	case isDNS && dns.IsNotFound:
		return webhook.FailDNS, "dns_not_found", []string{Quote(dns.Name)}
	case isDNS:
		return webhook.FailDNS, "dns_failed", []string{Quote(dns.Name)}
	case timedOut(err):
		code, args = classifyTimeout(e)
		return webhook.FailTimeout, code, args
	case isHandshake:
		code, args = classifyTLS(e)
		return webhook.FailTLS, code, args
	case errors.Is(err, syscall.ECONNREFUSED):
		return webhook.FailRefused, "refused", []string{cmp.Or(DialledAddr(err), e.Host)}
	}
	code, args = classifyNetwork(e)
	return webhook.FailNetwork, code, args
}

// Message returns the code and the arguments of the sentence about the address.
func (e *BlockedError) Message() (code string, args []string) {
	return "blocked", []string{e.Addr.String(), string(e.Kind)}
}

func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

func classifyTimeout(e RequestError) (code string, args []string) {
	op, isOp := errors.AsType[*net.OpError](e)
	_, isHandshake := errors.AsType[handshakeError](e)
	switch {
	case isOp && op.Op == "dial":
		return "timeout_connect", []string{cmp.Or(DialledAddr(e), e.Host), e.Connect.String()}
	case isHandshake:
		return "timeout_handshake", []string{e.Host, e.Connect.String()}
	case e.Inline:
		return "timeout_inline", []string{e.Host, e.Timeout.String()}
	}
	return "timeout_response", []string{e.Host, e.Timeout.String()}
}

func classifyTLS(e RequestError) (code string, args []string) {
	wrongName, isName := errors.AsType[x509.HostnameError](e)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](e)
	_, isUnknown := errors.AsType[x509.UnknownAuthorityError](e)
	_, isPlain := errors.AsType[tls.RecordHeaderError](e)
	op, isOp := errors.AsType[*net.OpError](e)
	switch {
	case isName:
		return classifyWrongName(e.Host, wrongName.Certificate)
	case isInvalid && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		return "tls_not_yet_valid", []string{e.Host, dateArg(invalid.Cert.NotBefore)}
	case isInvalid && invalid.Reason == x509.Expired:
		return "tls_expired", []string{e.Host, dateArg(invalid.Cert.NotAfter)}
	case isUnknown:
		return "tls_untrusted", []string{e.Host}
	case isPlain:
		return "tls_not_supported", []string{e.Host}
	case closed(e):
		return "tls_closed", []string{e.Host}
	case isOp && op.Op == "remote error": // an alert
		return "tls_alert", []string{e.Host, Quote(strings.TrimPrefix(op.Err.Error(), "tls: "))}
	}
	return "tls_failed", []string{e.Host, Quote(e.Error())}
}

func classifyWrongName(host string, certificate *x509.Certificate) (code string, args []string) {
	if certificate == nil || len(certificate.DNSNames) == 0 {
		return "tls_wrong_name", []string{host}
	}
	return "tls_wrong_name_for", []string{host, Quote(strings.Join(certificate.DNSNames, ", "))}
}

// closed reports whether the peer closed or reset the connection.
func closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// tlsAlert is how net/http quotes the response of a TLS server to plain HTTP.
const tlsAlert = `"\x15\x03`

// classifyNetwork tells how far the exchange came before it failed.
func classifyNetwork(e RequestError) (code string, args []string) {
	text := errorText(e)
	switch {
	case closed(e) && e.InBody:
		return "closed_in_body", []string{e.Host}
	case closed(e) && e.Begun:
		return "closed_in_headers", []string{e.Host}
	case closed(e):
		return "closed", []string{e.Host}
	case errors.Is(e, syscall.EHOSTUNREACH) || errors.Is(e, syscall.ENETUNREACH):
		return "unreachable", []string{cmp.Or(DialledAddr(e), e.Host)}
	case e.InBody:
		return "unreadable_body", []string{e.Host, text}
	case e.Begun && strings.Contains(text, tlsAlert):
		return "https_expected", []string{e.Host}
	case e.Begun:
		return "not_http", []string{e.Host, text}
	}
	return "network", []string{e.Host, text}
}

// errorText returns the text of an error without the prefixes of net/http.
func errorText(err error) string {
	text := strings.TrimPrefix(err.Error(), "net/http: ")
	text = strings.TrimPrefix(text, "HTTP/1.x transport connection broken: ")
	return Quote(strings.TrimPrefix(strings.TrimPrefix(text, "net/http: "), "http: "))
}

func classifyStatus(e StatusError) (reason webhook.Failure, code string, args []string) {
	status := strconv.Itoa(e.Status)
	switch {
	case e.Status == http.StatusGone && !e.Inline:
		return webhook.FailGone, "gone", []string{status}
	case e.Status >= 300 && e.Status <= 399 && e.Location != "":
		return webhook.FailRedirect, "redirect_to", []string{status, Quote(e.Location)}
	case e.Status >= 300 && e.Status <= 399:
		return webhook.FailRedirect, "redirect", []string{status}
	case e.Only200 && e.Status >= 201 && e.Status <= 299:
		return webhook.FailStatus, "status_only_200", []string{status}
	case e.Status == http.StatusSwitchingProtocols:
		return webhook.FailStatus, "status_protocol", []string{status}
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return webhook.FailStatus, "status_auth", []string{status}
	case e.Status == http.StatusNotFound:
		return webhook.FailStatus, "status_not_found", []string{status}
	case e.Status == http.StatusMethodNotAllowed:
		return webhook.FailStatus, "status_method", []string{status, e.Method}
	}
	return webhook.FailStatus, "status", []string{status}
}

// DialledAddr returns the address of a failed connection, "" for other errors.
func DialledAddr(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" && op.Addr != nil {
		return op.Addr.String()
	}
	return ""
}
