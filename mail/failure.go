package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strings"
	"syscall"

	"bookhook/webhook"
)

// Failure is why a message was not sent.
type Failure struct {
	Message   webhook.Message // for people
	Temporary bool            // it may succeed later, unchanged
	Cause     error
}

// Error returns code and cause, for a log.
func (f Failure) Error() string {
	if f.Cause == nil {
		return f.Message.Error()
	}
	return f.Message.Error() + ": " + f.Cause.Error()
}

// Unwrap returns the cause.
func (f Failure) Unwrap() error { return f.Cause }

// step is how far the conversation with the server had come. It is the code of what
// it means that the server refused it.
type step string

const (
	stepGreeting  step = "mail.greeting"
	stepSignIn    step = "mail.sign_in"
	stepSender    step = "mail.sender"
	stepRecipient step = "mail.recipient"
	stepContent   step = "mail.content"
)

// Codes below 500 mean "not now". A server that refuses the sign-in, or to talk to
// us at all, is one whose settings may be corrected meanwhile.
const permanent = 500

// failure returns what an error at a step means; args are those of the step, before
// the server's reply.
func (s Server) failure(at step, err error, args ...any) Failure {
	reply, refused := errors.AsType[*textproto.Error](err)
	if !refused {
		return s.networkFailure(err)
	}
	text := replyText(reply)
	if reply.Code < permanent {
		return Failure{webhook.NewMessage("mail.later", s.Address(), text), true, err}
	}
	args = append([]any{s.Address()}, append(args, text)...)
	return Failure{webhook.NewMessage(string(at), args...), at == stepGreeting || at == stepSignIn, err}
}

// replyText returns the reply of a server as it is shown, with its code.
func replyText(reply *textproto.Error) string {
	return webhook.Truncate(oneLine(strings.ToValidUTF8(fmt.Sprint(reply.Code, " ", reply.Msg), "\uFFFD")), 200)
}

// dialFailure returns why there is no connection.
func (s Server) dialFailure(err error) Failure {
	if name, ok := errors.AsType[*net.DNSError](err); ok && !name.IsTimeout {
		return Failure{webhook.NewMessage("mail.host", s.Host), true, err}
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return Failure{webhook.NewMessage("mail.refused", s.Address()), true, err}
	}
	return s.networkFailure(err)
}

// tlsFailure returns why the connection could not be encrypted.
func (s Server) tlsFailure(err error) Failure {
	if wrong, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return Failure{webhook.NewMessage("mail.certificate", s.Address(), certificateProblem(wrong.Err)), true, err}
	}
	if timedOut(err) {
		return s.networkFailure(err)
	}
	if _, plain := errors.AsType[tls.RecordHeaderError](err); plain {
		return Failure{webhook.NewMessage("mail.not_tls", s.Address()), true, err}
	}
	return Failure{webhook.NewMessage("mail.tls", s.Address()), true, err}
}

// certificateProblem says what is wrong with a certificate, for a person who
// manages servers.
func certificateProblem(err error) string {
	return webhook.Truncate(oneLine(strings.TrimPrefix(err.Error(), "x509: ")), 200)
}

func (s Server) networkFailure(err error) Failure {
	if timedOut(err) {
		return Failure{webhook.NewMessage("mail.timeout", s.Address()), true, err}
	}
	return Failure{webhook.NewMessage("mail.network", s.Address()), true, err}
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
