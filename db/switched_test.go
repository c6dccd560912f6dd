package db_test

import (
	"context"
	"testing"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/webhook"
)

// TestPlatformSwitchedByAnotherProcess: by the command line, while events come in
// and wait.
func TestPlatformSwitchedByAnotherProcess(t *testing.T) {
	path := dbtest.At(t)
	s := dbtest.Create(t, path)
	t.Cleanup(func() { ok(t, s.Close()) })
	a, _ := shop(t, s)
	waits := ingest(t, s, a.ID, asked("", "1"))[0]
	other := must(db.Open(context.Background(), path, nil))(t)
	t.Cleanup(func() { ok(t, other.Close()) })
	for _, on := range []bool{false, true, false} {
		must(other.SwitchPlatform(t.Context(), a.ID, "tourcms", on, at(t0)))(t)
		want := webhook.ReasonPlatformOff
		if on {
			want = webhook.Matched
		}
		same(t, "decision", ingest(t, s, a.ID, newEvent(""))[0].Decisions[0].Reason, want)
	}
	same(t, "of what waited", lookedUp(t, s, nil, waits)[0].Decisions[0].Reason, webhook.ReasonPlatformOff)
}
