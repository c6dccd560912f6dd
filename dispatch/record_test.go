package dispatch_test

import (
	"strings"
	"testing"

	"bookhook/dispatch"
	"bookhook/webhook"
)

func TestOutcomeSurvivesAFailingStore(t *testing.T) {
	t.Parallel()
	r := start(t, dispatch.Options{})
	r.hook(receiver(t, answer(200)).URL)
	r.store.failures.Store(2)
	id := r.ingest(1)[0]
	r.next()
	r.stop()
	if d := r.delivery(id); d.State != webhook.Delivered || d.Attempts != 1 {
		t.Errorf("got %+v, want delivered by one attempt", d)
	}
	if got := strings.Count(r.log.String(), "disk full"); got != 1 {
		t.Errorf("the failure was logged %d times, want once:\n%s", got, r.log)
	}
}

// TestReleaseSurvivesAFailingStore: what is taken back from a lane while the database
// fails is sent as soon as it works, not when its claim expires minutes later, and
// the log shows no attempt that was not made.
func TestReleaseSurvivesAFailingStore(t *testing.T) {
	t.Parallel()
	r := start(t, dispatch.Options{})
	g := newGate(t)
	w := r.hook(g.URL, concurrency(1))
	ids := r.ingest(3)
	receive(t, g.arrived)
	r.store.failures.Store(3)
	r.touch(w) // takes back the two that wait
	g.open()
	for range ids {
		r.next()
	}
	r.stop()
	for _, id := range ids {
		if d, attempts := r.delivery(id), r.attempts(id); d.State != webhook.Delivered || d.Attempts != 1 || len(attempts) != 1 {
			t.Errorf("got %+v with %d attempts, want it delivered by one", d, len(attempts))
		}
	}
}

func TestLogHasNoSecrets(t *testing.T) {
	t.Parallel()
	r := start(t, dispatch.Options{})
	w := r.hook(receiver(t, answer(302)).URL+"/in?token=geheim", native)
	id := r.ingest(1)[0]
	r.next()
	r.stop()
	text := r.log.String()
	for _, want := range []string{id.String(), w.ID.String(), "number=1", "status=302", "reason=redirect", "account=4069"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not say %q:\n%s", want, text)
		}
	}
	for _, never := range []string{"geheim", "127.0.0.1", "booking_id", "whsec", "v1,"} {
		if strings.Contains(text, never) {
			t.Errorf("the log says %q:\n%s", never, text)
		}
	}
}
