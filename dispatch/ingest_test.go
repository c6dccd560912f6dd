package dispatch_test

import (
	"testing"

	"bookhook/db"
	"bookhook/dispatch"
	"bookhook/webhook"
)

func TestDuplicatesGiveTheirPlacesBack(t *testing.T) {
	t.Parallel()
	r := start(t, dispatch.Options{})
	r.hook(receiver(t, answer(200)).URL, concurrency(1))
	event := events(1)
	event[0].ExternalID = "same"
	for range 50 { // the lane holds three
		if _, err := r.Ingest(t.Context(), r.account.ID, event); err != nil {
			t.Fatal(err)
		}
	}
	conflict := events(3)
	conflict[2].ExternalID, conflict[2].Type = "same", "other"
	for range 50 { // two places are taken, then all is undone
		if _, err := r.Ingest(t.Context(), r.account.ID, conflict); err == nil {
			t.Fatal("got no conflict")
		}
	}
	r.next()
	d := r.delivery(r.ingest(1)[0])
	if d.Attempts != 1 {
		t.Errorf("got %+v, want the delivery taken at once", d)
	}
	r.next()
}

// TestIngestPlansAnew: another process, such as the command line, has changed a
// webhook, so that what the dispatcher knows of the account is out of date.
func TestIngestPlansAnew(t *testing.T) {
	t.Parallel()
	r := start(t, dispatch.Options{})
	w := r.hook(receiver(t, answer(200)).URL)
	r.ingest(1)
	r.next()
	command, err := db.Open(t.Context(), r.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []bool{false, true} {
		if _, err := command.SetEnabled(t.Context(), r.account.ID, w.ID, on, byTest()); err != nil {
			t.Fatal(err)
		}
		accepted, err := r.Ingest(t.Context(), r.account.ID, events(1))
		if err != nil {
			t.Fatal(err)
		}
		if matched := accepted[0].Decisions[0].Reason == webhook.Matched; matched != on {
			t.Errorf("switched on elsewhere: %v, got %+v", on, accepted[0].Decisions)
		}
	}
	r.next()
	if err := command.Close(); err != nil {
		t.Error(err)
	}
}
