package dispatch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"syscall"

	"bookhook/webhook"
)

// exchangeError is how an exchange ended without a complete answer, and how far
// it came.
type exchangeError struct {
	error
	begun  bool // something came back
	inBody bool // status and headers did
}

// Unwrap returns the cause.
func (e exchangeError) Unwrap() error { return e.error }

// failure names why a request got no complete answer, by the types of its
// errors and never by their text.
func failure(err error) webhook.Failure {
	_, blocked := errors.AsType[*BlockedError](err)
	_, dns := errors.AsType[*net.DNSError](err)
	_, handshake := errors.AsType[handshakeError](err)
	switch {
	case blocked:
		return webhook.FailBlocked
	case dns:
		return webhook.FailDNS
	case timedOut(err):
		return webhook.FailTimeout
	case handshake:
		return webhook.FailTLS
	case errors.Is(err, syscall.ECONNREFUSED):
		return webhook.FailRefused
	}
	return webhook.FailNetwork
}

func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// judge names the failure of a complete answer that is no success.
func judge(status int, location string, wire webhook.Request) (webhook.Failure, string) {
	switch {
	case status == http.StatusGone:
		return webhook.FailGone, "Your server answered 410 (Gone), which asks Bookhook never to call this URL again: " +
			"the webhook is switched off. Correct the URL if need be, and switch it on again."
	case status >= 300 && status <= 399:
		return webhook.FailRedirect, redirected(status, location)
	}
	return webhook.FailStatus, answeredText(status, wire)
}

// dialled is the address that a failed connection was tried with.
func dialled(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" && op.Addr != nil {
		return op.Addr.String()
	}
	return ""
}
