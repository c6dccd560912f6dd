package dispatch_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/messages"
	"bookhook/webhook"
)

// cutShort answers 200 and closes in the middle of the body.
func cutShort(requests *atomic.Int32) func(net.Conn) {
	return func(c net.Conn) {
		requests.Add(1)
		say(ok200+"Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{}", shut)(c)
	}
}

// The receiver has the event: it must not get it again because its answer broke.
func TestSuccessCutShortIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, format := range []webhook.Format{webhook.Standard, webhook.Native} {
		var requests atomic.Int32
		address := raw(t, cutShort(&requests))
		r := start(t, dispatch.Options{})
		r.hook("http://"+address, func(w *webhook.Webhook) { w.Format = format })
		id := r.ingest(1)[0]
		r.next()
		r.stop()
		d, a := r.delivery(id), r.attempts(id)
		if d.State != webhook.Delivered || d.Attempts != 1 || len(a) != 1 || requests.Load() != 1 {
			t.Errorf("%s: got %+v, %d attempts and %d requests, want it delivered by one", format, d, len(a), requests.Load())
		}
		if want := address + " answered 200 OK, but closed the connection before the body of its answer was complete. It counts as delivered and is not sent again."; messages.Text(a[0].Error) != want {
			t.Errorf("%s: got the remark %q, want %q", format, messages.Text(a[0].Error), want)
		}
		if string(a[0].ResponseBody) != "{}" || a[0].Status != 200 || a[0].Failure != "" {
			t.Errorf("%s: got %+v, want what arrived of the answer", format, a[0])
		}
	}
}

// The status decides, also when what is cut short is a refusal.
func TestRefusalCutShort(t *testing.T) {
	t.Parallel()
	r := start(t, dispatch.Options{})
	w := r.hook("http://" + raw(t, say("HTTP/1.1 410 Gone\r\nContent-Length: 10\r\n\r\n{}", shut)))
	r.ingest(1)
	if got := r.next(); got.State != webhook.Failed || !got.Gone || got.Attempt.Failure != webhook.FailGone {
		t.Errorf("got %+v, want the webhook gone", got)
	}
	w = r.hook("http://"+raw(t, say("HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\nContent-Length: 10\r\n\r\n{}", shut)), func(o *webhook.Webhook) { o.Name = w.Name + " 2" })
	before := time.Now()
	id := r.ingest(1)[0]
	r.next()
	if d := r.delivery(id); d.Webhook != w.ID || d.NextAt.Sub(before) < time.Hour {
		t.Errorf("got %+v, want it to wait for an hour", d)
	}
}

// An inline answer says in its body what it means.
func TestInlineAnswerCutShortRefuses(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	r := start(t, dispatch.Options{})
	r.hook("http://"+raw(t, cutShort(&requests)), inline)
	got := r.callInline(temporary(""))
	if got.Accepted || got.Reason != webhook.FailNetwork || !strings.Contains(messages.Text(got.Error), "shorter than it announced") || requests.Load() != 1 {
		t.Errorf("got %+v after %d requests, want one refusal", got.InlineAnswer, requests.Load())
	}
}
