package dispatch_test

import (
	"testing"

	"bookhook/dispatch"
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
