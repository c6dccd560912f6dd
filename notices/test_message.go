package notices

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"bookhook/mail"
	"bookhook/webhook"
)

// testTimeout is how long a test message may take: somebody waits for it.
const testTimeout = 15 * time.Second

// Server returns HOST:PORT of the mail server.
func (w *Worker) Server() string { return w.Sender.Server() }

// From returns the address that messages are from.
func (w *Worker) From() string { return w.Sender.From() }

// LinksTo returns what the links in messages begin with.
func (w *Worker) LinksTo() string { return w.BaseURL }

// SendTest sends a test message at once, within 15 seconds, and returns what is
// wrong with the mail settings; zero if the mail server took it.
func (w *Worker) SendTest(ctx context.Context, to string) webhook.Message {
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	l := letter{
		Subject: "Test message from Bookhook",
		Text:    []string{"E-mail works: " + w.BaseURL + " sends it through " + w.Server() + "."},
	}
	message, err := l.message(ctx, "test-"+rand.Text(), to)
	if err == nil {
		err = w.Sender.Send(ctx, message)
	}
	failure, failed := errors.AsType[mail.Failure](err)
	switch {
	case err == nil:
		return webhook.Message{}
	case !failed:
		w.Log.Error("test message not written", "error", err)
		return webhook.NewMessage("mail.internal")
	}
	w.Log.Warn("test message not sent", "error", failure)
	return failure.Message
}
