package guard

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"bookhook/messages"
	"bookhook/webhook"
)

// TestClassify: every kind of error has a reason and a whole sentence.
func TestClassify(t *testing.T) {
	t.Parallel()
	request := func(err error) RequestError {
		return RequestError{Err: err, Host: "example.com", Timeout: 15 * time.Second, Connect: 5 * time.Second}
	}
	dialled := func(err error) error {
		return &net.OpError{Op: "dial", Addr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:443")), Err: err}
	}
	begun := request(io.EOF)
	begun.Begun = true
	inBody := begun
	inBody.InBody = true
	inline := request(context.DeadlineExceeded)
	inline.Inline = true
	expired := &x509.Certificate{NotAfter: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)}
	for _, tt := range []struct {
		err    error
		reason webhook.Failure
		code   string
		words  string
	}{
		{request(&BlockedError{netip.MustParseAddr("10.0.0.5"), private}), webhook.FailBlocked, "blocked_name", "example.com: the name leads to a private address"},
		{RequestError{Err: &BlockedError{netip.MustParseAddr("10.0.0.5"), private}, Host: "10.0.0.5:443"}, webhook.FailBlocked, "blocked", "10.0.0.5: it is a private address"},
		{RequestError{Err: &BlockedError{netip.MustParseAddr("::1"), loopback}, Host: "[::1]:443"}, webhook.FailBlocked, "blocked", "::1: it is a loopback address"},
		{request(&net.DNSError{Name: "nowhere.invalid", IsNotFound: true}), webhook.FailDNS, "dns_not_found", "by the name of nowhere.invalid"},
		{request(&net.DNSError{Name: "nowhere.invalid", IsTimeout: true}), webhook.FailDNS, "dns_failed", "nowhere.invalid could not"},
		{request(dialled(context.DeadlineExceeded)), webhook.FailTimeout, "timeout_connect", "192.0.2.1:443 could not be reached: no connection within 5s"},
		{request(handshakeError{context.DeadlineExceeded}), webhook.FailTimeout, "timeout_handshake", "handshake within 5s"},
		{request(context.DeadlineExceeded), webhook.FailTimeout, "timeout_response", "example.com gave no complete answer within 15s. Answer at once"},
		{inline, webhook.FailTimeout, "timeout_inline", "longer time limit"},
		{request(handshakeError{x509.CertificateInvalidError{Cert: expired, Reason: x509.Expired}}), webhook.FailTLS, "tls_expired", "on 2 January 2026, 03:04 UTC"},
		{request(handshakeError{x509.UnknownAuthorityError{}}), webhook.FailTLS, "tls_untrusted", "self-signed"},
		{request(handshakeError{io.EOF}), webhook.FailTLS, "tls_closed", "closed the connection"},
		{request(dialled(syscall.ECONNREFUSED)), webhook.FailRefused, "refused", "192.0.2.1:443"},
		{request(dialled(syscall.EHOSTUNREACH)), webhook.FailNetwork, "unreachable", "192.0.2.1:443"},
		{request(io.EOF), webhook.FailNetwork, "closed", "without an answer"},
		{begun, webhook.FailNetwork, "closed_in_headers", "in the middle of the headers"},
		{inBody, webhook.FailNetwork, "closed_in_body", "shorter"},
		{StatusError{Receiver: "Accounting", Status: 503}, webhook.FailStatus, "status", "Accounting answered 503 Service Unavailable."},
		{StatusError{Receiver: "Accounting", Status: 599}, webhook.FailStatus, "status", "Accounting answered 599."},
		{StatusError{Receiver: "Accounting", Status: 204, Only200: true}, webhook.FailStatus, "status_only_200", "only 200"},
		{StatusError{Receiver: "Accounting", Status: 405, Method: "POST"}, webhook.FailStatus, "status_method", "accept POST"},
		{StatusError{Receiver: "Accounting", Status: 301, Location: "/{1}"}, webhook.FailRedirect, "redirect_to", "to /{1}."},
		{StatusError{Receiver: "Accounting", Status: 410}, webhook.FailGone, "gone", "switched off"},
		{StatusError{Receiver: "Accounting", Status: 410, Inline: true}, webhook.FailStatus, "status", "410 Gone."},
		{InlineBodyError{"Accounting", webhook.NewMessage("inline.not_json")}, webhook.FailAnswer, "inline_body", "it is not valid JSON"},
		{fmt.Errorf("wrapped: %w", webhook.NewMessage("attempt.bug")), webhook.FailInternal, "internal", "there is a bug in Bookhook."},
		{fmt.Errorf("wrapped: %w", errors.New("no such platform")), webhook.FailInternal, "internal", "no such platform"},
	} {
		reason, why := Classify(tt.err)
		got := messages.Text(why)
		if reason != tt.reason || why.Code != "attempt."+tt.code || !strings.Contains(got, tt.words) {
			t.Errorf("%v: got %s, %s, %q, want %s, %s, %q", tt.err, reason, why.Code, got, tt.reason, tt.code, tt.words)
		}
	}
}

// TestKinds: each kind of address has a phrase.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, s := range special {
		if m := s.kind.Message(); messages.Text(m) == m.Error() {
			t.Errorf("%s has no text", s.kind)
		}
	}
	for _, kind := range []Kind{noAddress, reserved} {
		if m := kind.Message(); messages.Text(m) == m.Error() {
			t.Errorf("%s has no text", kind)
		}
	}
}
