package handlers_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/handlers"
	"bookhook/webhook"
)

// stalled is a store whose lists of deliveries wait.
type stalled struct {
	*db.Store
	asked, goOn chan struct{}
}

func (s stalled) Deliveries(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow, webhook.DeliveryID], error) {
	s.asked <- struct{}{}
	<-s.goOn
	return s.Store.Deliveries(ctx, account, f)
}

// exportsAtOnce has two exports under way: the third is refused, for any list, but not
// that of another account.
func (a *apiSite) exportsAtOnce(t *testing.T) {
	slow := stalled{a.store.Store, make(chan struct{}), make(chan struct{})}
	app := a.with(t, func(o *handlers.Options) { o.Store.API.DeliveryStore = slow })
	a.rawOf(t, app, 200, a.request("GET", "/api/v1/events.csv", "")) // it listens
	done := make(chan error, 2)
	for range 2 {
		go func() {
			r, err := http.NewRequestWithContext(t.Context(), "GET", a.bases[app]+"/api/v1/deliveries.csv", http.NoBody)
			if err == nil {
				r.Header.Set("Authorization", "Bearer "+a.token)
				var response *http.Response
				if response, err = http.DefaultClient.Do(r); err == nil {
					_, err = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
			}
			done <- err
		}()
		<-slow.asked
	}
	for _, path := range []string{"/api/v1/deliveries.csv", "/api/v1/events.csv"} {
		a.rawOf(t, app, 429, a.request("GET", path, ""))
	}
	a.rawOf(t, app, 200, a.request("GET", "/api/v1/events.csv", "", as(a.other)))
	close(slow.goOn)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	a.rawOf(t, app, 200, a.request("GET", "/api/v1/events.csv", ""))
}

// rowsOf reads an export as another program does.
func rowsOf(tb testing.TB, text string) [][]string {
	tb.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		tb.Fatalf("%v in %.300s", err, text)
	}
	return rows
}

func TestExportDeliveries(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account.TimeZone = "Asia/Tokyo"
	s.check(s.store.UpdateAccount(t.Context(), s.account, change()))
	b := s.signIn(staff)
	w := s.hook(nowhere, func(w *webhook.Webhook) { w.Name = `Acc, "ounts"` })
	var want []string
	for i := range 450 { // pages of 200
		booking := fmt.Sprint("B-", i)
		want = append(want, booking)
		s.leave(webhook.Event{BookingID: booking})
	}
	slices.Reverse(want)
	for _, booking := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "＝1", "a=b", "a;=1+1;-b", `"; DROP`, "1,2", "ü🦭"} {
		s.leave(webhook.Event{BookingID: booking, Type: "token_failure"})
	}
	p := b.get("/deliveries?type=cancelled").find(`href="(/deliveries\.csv[^"]*)"`)
	got := b.get(p).is(http.StatusOK)
	if kind, name := got.header.Get("Content-Type"), got.header.Get("Content-Disposition"); kind != "text/csv" || !strings.HasPrefix(name, `attachment; filename="deliveries-2`) {
		t.Errorf("got %s, %s", kind, name)
	}
	text, marked := strings.CutPrefix(got.text, "\uFEFF")
	if !marked {
		t.Error("Excel would not read this as UTF-8")
	}
	rows := rowsOf(t, text)
	if head := strings.Join(rows[0], " "); head != "id created_at booking_id platform type webhook_id webhook state attempts_made status reason duration_ms next_attempt_at finished_at test event_id" {
		t.Errorf("columns: got %s", head)
	}
	for i, row := range rows[1:] {
		if row[2] != want[i] || row[5] != w.ID.String() || row[6] != w.Name || row[7] != "pending" {
			t.Fatalf("row %d: got %q, want booking %s", i, row, want[i])
		}
	}
	if len(rows) != 451 {
		t.Errorf("got %d rows, want 450 and their names", len(rows))
	}
	at, err := time.ParseInLocation(time.DateTime, rows[1][1], s.account.Location())
	if err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("created at %s, %v; want now in Tokyo", rows[1][1], err)
	}
	bookings := []string{}
	for _, row := range rowsOf(t, strings.TrimPrefix(b.get("/deliveries.csv?type=token_failure").text, "\uFEFF"))[1:] {
		bookings = append(bookings, row[2])
	}
	if got, want := strings.Join(bookings, "|"), `ü🦭|1,2|"; DROP|a;'=1+1;'-b|a=b|'＝1|'@SUM(A1)|'-1|'+1|'=1+1`; got != want {
		t.Errorf("cells: got %s, want %s", got, want)
	}
	b.get("/deliveries.csv?state=lost").is(http.StatusUnprocessableEntity).has("There is no such status")
}

func TestExportEvents(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	b := s.signIn(staff)
	s.hook(nowhere, func(w *webhook.Webhook) { w.SelectEvents([]string{"cancelled"}) })
	s.leave(webhook.Event{BookingID: "1", ChannelID: "3930", TourIDs: []string{"12", "15"}, ExternalID: "tc-1"}, webhook.Event{BookingID: "2", Type: "redeem_voucher"})
	for query, want := range map[string]string{
		"":                           "2  0 1 ,1 12 15 1 0 tc-1,",
		"?sent=true":                 "1 12 15 1 0 tc-1,",
		"?sent=false":                "2  0 1 ,",
		"?channel_id=3930":           "1 12 15 1 0 tc-1,",
		"?tour_id=15":                "1 12 15 1 0 tc-1,",
		"?tour_id=5":                 "",
		"?period=today&tour_id=12":   "1 12 15 1 0 tc-1,",
		"?since=2020-01-01&sent=":    "2  0 1 ,1 12 15 1 0 tc-1,",
		"?until=2020-01-01T00%3A00":  "",
		"?booking_id=2&channel_id=x": "",
	} {
		got := ""
		for _, row := range rowsOf(t, strings.TrimPrefix(b.get("/events.csv"+query).is(http.StatusOK).text, "\uFEFF"))[1:] {
			got += strings.Join([]string{row[3], row[7], row[8], row[9], row[11]}, " ") + ","
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

// A client that goes away ends the reading.
func TestExportLeft(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	counted := counting{a.store.Store, make(chan struct{}, 10_000)}
	app := a.with(t, func(o *handlers.Options) { o.Store.API.DeliveryStore = counted })
	a.rawOf(t, app, 200, a.request("GET", "/api/v1/events.csv", ""))
	for range 2 { // each would keep its place among the two that are allowed
		for range 2 {
			ctx, leave := context.WithCancel(t.Context())
			r, err := http.NewRequestWithContext(ctx, "GET", a.bases[app]+"/api/v1/deliveries.csv", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+a.token)
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(response.Body, make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
			leave()
			_ = response.Body.Close()
		}
		for deadline := time.After(20 * time.Second); ; {
			r := a.request("GET", "/api/v1/events.csv", "")
			if response, _ := a.live(t, app, r); response.StatusCode == http.StatusOK {
				break
			}
			select {
			case <-deadline:
				t.Fatal("an export goes on that nobody reads")
			case <-counted.read:
			}
		}
	}
}

// counting is a store with an endless log.
type counting struct {
	*db.Store
	read chan struct{}
}

func (s counting) Deliveries(context.Context, webhook.AccountID, webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow, webhook.DeliveryID], error) {
	select {
	case s.read <- struct{}{}:
	default:
	}
	row := webhook.DeliveryRow{Delivery: webhook.Delivery{ID: 1, BookingID: "1234"}, WebhookName: "Accounting"}
	return webhook.Page[webhook.DeliveryRow, webhook.DeliveryID]{Rows: slices.Repeat([]webhook.DeliveryRow{row}, 200), Next: 1}, nil
}

// An export that cannot be finished is not taken for a complete one.
func TestExportBreaks(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	app := a.with(t, func(o *handlers.Options) { o.Store.API.DeliveryStore = &cutShort{Store: a.store.Store} })
	a.rawOf(t, app, 200, a.request("GET", "/api/v1/events.csv", ""))
	for range 3 { // and none keeps its place
		r, err := http.NewRequestWithContext(t.Context(), "GET", a.bases[app]+"/api/v1/deliveries.csv", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+a.token)
		response, err := http.DefaultClient.Do(r)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("got %v, %v", response, err)
		}
		if text, err := io.ReadAll(response.Body); err == nil {
			t.Errorf("got %d bytes as if they were all", len(text))
		}
		_ = response.Body.Close()
	}
}

// cutShort is a store that fails at every second page.
type cutShort struct {
	*db.Store
	pages int
}

func (s *cutShort) Deliveries(ctx context.Context, account webhook.AccountID, f webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow, webhook.DeliveryID], error) {
	if s.pages++; s.pages%2 == 0 {
		return webhook.Page[webhook.DeliveryRow, webhook.DeliveryID]{}, io.ErrUnexpectedEOF
	}
	return counting{s.Store, nil}.Deliveries(ctx, account, f)
}
