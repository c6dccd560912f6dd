package bench

import (
	"io"
	"path/filepath"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

func TestRetentionLines(t *testing.T) {
	of := func(rate, cpu float64) *Measurement {
		return &Measurement{DeliveredPerSecond: rate, ServerCPU: &cpu, served: 5 * time.Second}
	}
	r := runner{report: newReport(Options{})}
	r.reportRetention([]*Measurement{of(90, 200), of(80, 220)}, []*Measurement{of(120, 190), of(80, 190)}, 30, 0)
	wantLines(t, r.report,
		"nothing to delete: delivered 100/s", "retention beside load: delivered 85/s",
		"less than with nothing to delete 15.0 % at most 10.0 % 5.0 % MISS",
		"processor time of a delivery 210 µs", "with nothing to delete 190 µs", "rows deleted meanwhile 3/s",
		"rows deleted 30 at least 1 PASS", "rows still to delete in the end 0 at least 1 MISS",
	)
	r = runner{report: newReport(Options{})}
	r.reportRetention([]*Measurement{of(95, 1)}, []*Measurement{of(100, 1), {}}, 0, 9)
	wantLines(t, r.report, "less than with nothing to delete -90.0 % at most 10.0 % 5.0 % PASS, aim reached", "with nothing to delete – not measured", "rows deleted 0 at least 1 MISS")
}

// TestOld: what is filled in is old for the retention, and nothing else is.
func TestOld(t *testing.T) {
	const rows = webhook.MaxBatch + 7
	path := filepath.Join(t.TempDir(), "old.db")
	r := runner{Options: Options{Progress: io.Discard}, receiver: &receiver{url: "http://127.0.0.1:1/"}}
	p := phase{shape: oneWebhook(2), path: path}
	if err := r.fillOld(t.Context(), p, rows); err != nil {
		t.Fatal(err)
	}
	sample, err := createSample(t.Context(), path, nil, p.shape, func(int) string { return "http://127.0.0.1:2/" })
	if err != nil {
		t.Fatal(err)
	}
	store, err := db.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := insertEvents(t.Context(), store, sample.accounts[0], []webhook.Event{storedEvent("later000", 1, 0)}, time.Now(), false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{rows * rowsOfDelivery, 0} {
		if got, err := deleteOld(t.Context(), path, nil); got != want || err != nil {
			t.Errorf("got %d rows deleted, %v, want %d", got, err, want)
		}
	}
	if n, err := store.CountDeliveries(t.Context(), sample.accounts[0], webhook.DeliveryFilter{}); n.N != 1 || err != nil {
		t.Errorf("got %+v, %v, want the one of now", n, err)
	}
}
