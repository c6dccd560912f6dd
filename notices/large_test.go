package notices

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

// large are events of bookings of a megabyte each. The first one has 9,800 tours.
func (w *watched) large(n int) (events []webhook.Event) {
	w.Helper()
	var tours strings.Builder
	for i := range 9800 {
		fmt.Fprintf(&tours, "<component><product_id>%d</product_id><component_name>Walk %[1]d</component_name></component>", i)
	}
	for i := range n {
		content := "<components>" + tours.String() + "</components>"
		content += "<note>" + strings.Repeat("x", 1<<20-len(content)) + "</note>"
		tours.Reset()
		data, err := json.Marshal(map[string]string{"xml": "<response><booking>" + content + "</booking></response>"})
		check(w.T, err)
		events = append(events, webhook.Event{Platform: "tourcms", Type: "new_confirmed_web", BookingID: fmt.Sprint("L-", i), TourIDs: []string{"15"}, OccurredAt: w.began, Data: data})
	}
	return events
}

// TestLargeBookings: neither one booking of thousands of tours nor many of them make a
// message that takes long to write.
func TestLargeBookings(t *testing.T) {
	t.Parallel()
	w := newFallback(t, false)
	events := w.large(34)
	subscriptions, err := w.store.Subscriptions(t.Context(), w.account.ID)
	check(t, err)
	accepted, err := w.store.Insert(t.Context(), webhook.NewPlan(subscriptions, events, w.began, w.began))
	check(t, err)
	w.claim(0)
	w.fails(0, accepted[0].Decisions[0].Delivery)
	w.look(90 * time.Second)
	unread, read := 0, 0
	for _, e := range events {
		if read += len(e.Data); read > readBytes {
			unread++
		}
	}
	m := w.says("Accounting is failing: 34 bookings have not arrived", fmt.Sprintf("Because the bookings are very large, the file has no times and guests of %d of them: follow the links in it.", unread))
	rows := w.rows(m)
	if len(rows) != len(events) || !strings.HasSuffix(rows[0]["Tours"], "| Walk 19 | and 9780 more") || rows[len(rows)-1]["Tours"] != "Night Walk" {
		t.Errorf("got %d rows, from %s to %s", len(rows), rows[0], rows[len(rows)-1])
	}
}

// endless is a database in which reading what was sent does not end.
type endless struct{ FallbackStore }

func (endless) EventData(ctx context.Context, _ webhook.AccountID, _ []webhook.EventID, _ func(webhook.Event) error) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestEndlessMessage: a message that takes too long to write waits for its next attempt,
// and the others are sent.
func TestEndlessMessage(t *testing.T) {
	t.Parallel()
	if writeTime >= lease {
		t.Errorf("writing may take %s, longer than the lease", writeTime)
	}
	w := newFallback(t, false)
	w.fails(0, w.book("B-1")...)
	w.Store.FallbackStore, w.writeTime = endless{w.Store.FallbackStore}, time.Millisecond
	w.look(90 * time.Second)
	if m := w.outbox()[0]; m.Kind != webhook.MailFallback || m.State != webhook.MailWaiting || m.Problem.Code != "mail.internal" || m.Attempts != 1 {
		t.Errorf("got %+v, want one that is attempted again", m)
	}
	w.writeTime = writeTime
	w.forget(w.user.Email)
	w.send(w.began.Add(91 * time.Second))
	w.says("Choose a new password for Bookhook")
}
