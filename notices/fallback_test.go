package notices

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/fallback"
	"bookhook/incidents"
	"bookhook/mail/smtptest"
	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

const backOffice = "back@office.example"

// newFallback is watched with an address that was confirmed; people are told nothing, and a
// failing webhook is an incident after a minute.
func newFallback(t *testing.T, guests bool) *watched {
	t.Helper()
	w := newWatched(t)
	w.said = "Greta Guest is here already" // says lets no mail name her
	check(t, w.store.StopNotices(t.Context(), w.user.ID))
	check(t, w.store.SaveNoticeLimits(t.Context(), w.account.ID, incidents.Limits{After: time.Hour, Waiting: 1}, w.office.change()))
	check(t, w.store.AddItem(t.Context(), w.account.ID, webhook.Channels, webhook.Item{ID: "3930", Name: "Viator"}, w.office.change()))
	check(t, w.store.AddItem(t.Context(), w.account.ID, webhook.Tours, webhook.Item{ID: "15", Name: "Night Walk"}, w.office.change()))
	_, err := w.store.SetFallback(t.Context(), fallback.Fallback{Account: w.account.ID, Webhook: w.hook.ID, Address: backOffice, Guests: guests}, w.office.change())
	check(t, err)
	w.send(time.Now())
	what := "and no guests"
	if guests {
		what = "the names and contact data of guests"
	}
	m := w.says("Confirm that you get the bookings of Accounting while it fails", "anna@example.com of Segeln & Meer asks to send this address the bookings that Accounting cannot receive", what, " (Europe/Berlin)")
	if m.To != backOffice || m.Header.Get("List-Unsubscribe") != "" {
		t.Errorf("got one to %s, %s", m.To, m.Header)
	}
	check(t, w.store.ConfirmFallback(t.Context(), auth.HashSecret(w.token(m, ConfirmFallbackPath)), guests, time.Now()))
	return w
}

// fails lets attempts fail from a time after the beginning on, for more than a minute.
func (w *watched) fails(after time.Duration, ids ...webhook.DeliveryID) {
	w.Helper()
	for _, id := range ids {
		for n, at := range []time.Duration{after, after + 62*time.Second} {
			now := w.began.Add(at)
			_, err := w.store.Finish(w.Context(), webhook.Result{Delivery: id, Account: w.account.ID, Webhook: w.hook.ID, State: webhook.Pending, NextAt: now, Attempt: webhook.Attempt{
				Number: n + 1, StartedAt: now, Status: 503, Failure: webhook.FailStatus, ResponseBody: []byte(w.said),
			}}, now)
			check(w.T, err)
			if n == 0 {
				w.claim(after + time.Minute)
			}
		}
	}
}

func (w *watched) claim(after time.Duration) []webhook.Job {
	w.Helper()
	now := w.began.Add(after)
	jobs, _, err := w.store.Claim(w.Context(), webhook.Claim{Webhook: w.hook.ID, N: 99, Now: now, Lease: now.Add(time.Second)})
	check(w.T, err)
	return jobs
}

// ends claims what is due and ends it in a state.
func (w *watched) ends(after time.Duration, state webhook.State, most int) {
	w.Helper()
	now := w.began.Add(after)
	for i, job := range w.claim(after) {
		r := webhook.Result{Delivery: job.Delivery.ID, Account: w.account.ID, Webhook: w.hook.ID, State: state, Attempt: webhook.Attempt{Number: job.Delivery.Attempts, StartedAt: now, Status: 200}}
		if state == webhook.Failed {
			r.Attempt.Status, r.Attempt.Failure = 503, webhook.FailStatus
		}
		if i < most {
			_, err := w.store.Finish(w.Context(), r, now)
			check(w.T, err)
		}
	}
}

// rows are those of the file of a message, by the names of its columns.
func (w *watched) rows(m smtptest.Message) (rows []map[string]string) {
	w.Helper()
	if len(m.Files) != 1 || !strings.HasPrefix(m.Files[0].Type, "text/csv") || !strings.HasSuffix(m.Files[0].Name, ".csv") {
		w.Fatalf("got the files %+v", m.Files)
	}
	text, found := bytes.CutPrefix(m.Files[0].Content, []byte("\uFEFF"))
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	check(w.T, err)
	if !found {
		w.Error("no byte order mark")
	}
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, cell := range cells {
			row[all[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

// columns are those cells of a file, one row after the other.
func columns(rows []map[string]string, names ...string) string {
	var all []string
	for _, row := range rows {
		var cells []string
		for _, name := range names {
			cells = append(cells, row[name])
		}
		all = append(all, strings.Join(cells, "|"))
	}
	return strings.Join(all, "\n")
}

const (
	stillComes = "Waiting, still delivered by itself"
	marks      = "If you enter one by hand, mark it, so that nobody enters it twice"
)

func TestFallback(t *testing.T) {
	t.Parallel()
	w := newFallback(t, false)
	ids := w.book("B-1", "B-2")
	w.fails(0, ids...)
	w.look(90 * time.Second)
	m := w.says("Accounting is failing: 2 bookings have not arrived", "Accounting has accepted no delivery since ", "503 Service Unavailable",
		"The attached file lists what has not arrived: 2 events of 2 bookings. Each message lists only what is new: these are not listed again.",
		"All of them will still be delivered by Bookhook as soon as Accounting accepts deliveries again. "+marks, "B-1 · ", baseURL+"/deliveries?state=pending&webhook_id="+w.hook.ID.String(), "anna@example.com chose this address.")
	rows := w.rows(m)
	if got := columns(rows, "Reference", "State"); got != "B-1|"+stillComes+"\nB-2|"+stillComes {
		t.Errorf("got\n%s", got)
	}
	if rows[0]["Link"] != baseURL+"/deliveries/"+ids[0].String() || rows[0]["Happened"] != w.began.In(w.account.Location()).Format(time.DateTime) || rows[0]["Event"] == "new_confirmed_web" || rows[0]["Next attempt"] == "" {
		t.Errorf("got %v", rows[0])
	}
	stop := regexp.MustCompile(regexp.QuoteMeta(baseURL+StopFallbackPath) + `\?token=\S+`).FindString(m.Text)
	if m.To != backOffice || m.Header.Get("List-Unsubscribe") != "<"+stop+">" || m.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || strings.Contains(m.Text+m.HTML, NoticesPath) {
		t.Errorf("got one to %s with %s:\n%s", m.To, m.Header, m.Text)
	}
	w.look(30 * time.Minute)
	w.none("within an hour")
	w.look(2 * time.Hour)
	w.none("nothing new")

	w.store.Backdate(-2 * time.Hour)
	w.book("B-3")
	w.look(2*time.Hour + 30*time.Second)
	m = w.says("Accounting is failing: 1 booking has not arrived", "1 event of 1 booking", "It will still be delivered by Bookhook", "With those of earlier messages, 3 deliveries are waiting.")
	if got := columns(w.rows(m), "Reference"); got != "B-3" {
		t.Errorf("got %s", got)
	}
	w.ends(3*time.Hour, webhook.Failed, 1)
	w.look(3*time.Hour + time.Minute)
	m = w.says("Accounting is failing: 1 booking has not arrived", "It failed for good and will not be delivered unless somebody replays it. An earlier message may have listed it as waiting.")
	gone := w.rows(m)[0]["Reference"]
	w.ends(4*time.Hour, webhook.Delivered, 9)
	w.look(4*time.Hour + time.Minute)
	m = w.says("Accounting accepts bookings again", "It accepted no delivery from ", "what became of 3 events of 3 bookings that the messages before listed: 2 delivered, 1 failed for good.",
		"check that what was delivered is not there twice", "What failed or was cancelled will not be delivered by itself", "This is the last message about this failure.")
	for _, row := range w.rows(m) {
		if delivered := row["State"] == "Delivered" && row["Delivered"] == w.began.Add(4*time.Hour).In(w.account.Location()).Format(time.DateTime); delivered == (row["Reference"] == gone) {
			t.Errorf("got %v; %s failed", row, gone)
		}
	}
	w.look(6 * time.Hour)
	w.none("after the last")
}

// sampleOf is an event of a booking, with who booked if the platform says that.
func sampleOf(p platforms.Platform, now time.Time) (e webhook.Event, b *platforms.Booking) {
	for _, t := range p.Events {
		another := p.Sample(t.Key, "R-"+p.Key, now)
		said := p.Booking(another)
		if another.BookingID == "" || said == nil || t.InlineOnly {
			continue
		}
		if e, b = another, said; said.Customer != nil && said.Customer.Name != "" {
			break
		}
	}
	return e, b
}

// TestFallbackOfAllPlatforms: what each says about a booking is in the file, guests' data
// only if they are wanted.
func TestFallbackOfAllPlatforms(t *testing.T) {
	t.Parallel()
	for _, guests := range []bool{false, true} {
		w := newFallback(t, guests)
		var events []webhook.Event
		customers := map[string]string{}
		for _, p := range all.Platforms() {
			if p.Own {
				continue
			}
			_, err := w.store.SwitchPlatform(t.Context(), w.account.ID, p.Key, true, w.office.change())
			check(t, err)
			e, b := sampleOf(p, w.began)
			e.ChannelID, e.TourIDs = "3930", []string{"15"}
			if b.Customer != nil && b.Customer.Name != "" {
				customers[e.BookingID] = b.Customer.Name + "|" + b.Customer.Email
			}
			events = append(events, e)
		}
		if len(customers) == 0 {
			t.Fatal("no platform says who booked")
		}
		subscriptions, err := w.store.Subscriptions(t.Context(), w.account.ID)
		check(t, err)
		accepted, err := w.store.Insert(t.Context(), webhook.NewPlan(subscriptions, events, w.began, w.began))
		check(t, err)
		w.claim(0)
		w.fails(0, accepted[0].Decisions[0].Delivery)
		w.look(90 * time.Second)
		m := w.server.Next(t)
		rows := w.rows(m)
		if len(rows) != len(events) {
			t.Errorf("got %d rows, want %d", len(rows), len(events))
		}
		for _, row := range rows {
			if row["Channel"] == "" || row["Tours"] == "" {
				t.Errorf("got %v", row)
			}
			want, known := customers[row["Reference"]]
			if got := row["Guest"] + "|" + row["Guest e-mail"]; known && guests && got != want || !guests && got != "|" {
				t.Errorf("%s: got the guest %s, want %s", row["Reference"], got, want)
			}
		}
		for _, customer := range customers {
			name, _, _ := strings.Cut(customer, "|")
			if strings.Contains(m.Text+m.HTML, name) || !guests && strings.Contains(string(m.Files[0].Content), name) {
				t.Errorf("%s is named", name)
			}
		}
		if strings.Contains(m.Text, "The file has guests’ names") != guests {
			t.Errorf("guests %t:\n%s", guests, m.Text)
		}
	}
}

// TestSecondOutage: what is said of a second outage within the hour is about this one: not
// about what the first one delayed, or made fail, or what was skipped before.
func TestSecondOutage(t *testing.T) {
	t.Parallel()
	const listed = "B-1\nB-2\nB-3\nB-4"
	for name, c := range map[string]struct {
		of          func(t *testing.T) *watched
		begin, over func(w *watched) smtptest.Message
	}{
		"for who enters them by hand": {func(t *testing.T) *watched { t.Helper(); return newFallback(t, false) }, func(w *watched) smtptest.Message {
			m := w.says("Accounting is failing: 4 bookings have not arrived", "4 events of 4 bookings")
			if got := columns(w.rows(m), "Reference"); got != listed {
				w.Errorf("got\n%s", got)
			}
			return m
		}, func(w *watched) smtptest.Message {
			m := w.says("Accounting accepts bookings again", "what became of 4 events of 4 bookings that the messages before listed: 4 delivered.")
			if got := columns(w.rows(m), "Reference"); got != listed {
				w.Errorf("got\n%s", got)
			}
			return m
		}},
		"for operators": {newWatched, func(w *watched) smtptest.Message {
			return w.says("Accounting is failing", "Bookings that have not arrived: B-1, B-2, B-3, B-4.")
		}, func(w *watched) smtptest.Message {
			return w.says("Accounting accepts bookings again", "4 deliveries have arrived late.")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := c.of(t)
			w.twoOutages(func() {
				if m := c.begin(w); strings.Contains(m.Text, "A-") {
					t.Errorf("of the first outage:\n%s", m.Text)
				}
			})
			if m := c.over(w); strings.Contains(m.Text, "skipped") {
				t.Errorf("of a time before:\n%s", m.Text)
			}
		})
	}
}

// twoOutages lets the webhook skip an event, and fail twice; in the middle of the second
// time it calls failing.
func (w *watched) twoOutages(failing func()) {
	w.Helper()
	check(w.T, w.store.SaveNoticeLimits(w.Context(), w.account.ID, incidents.Limits{After: time.Hour, Waiting: 1}, w.change()))
	for i, on := range []bool{false, true} {
		_, err := w.store.SetEnabled(w.Context(), w.account.ID, w.hook.ID, on, webhook.Change{By: "anna@example.com", At: w.began.Add(time.Duration(i-2) * time.Minute)})
		check(w.T, err)
		if !on {
			w.skip("skipped")
		}
	}
	w.fails(0, w.book("A-1", "A-2", "A-3", "A-4", "A-5")...)
	w.ends(10*time.Minute, webhook.Failed, 1)
	w.ends(10*time.Minute+30*time.Second, webhook.Delivered, 9)
	w.look(11 * time.Minute)
	w.none("the first outage was over before anybody looked")
	w.fails(20*time.Minute, w.book("B-1", "B-2", "B-3", "B-4")...)
	w.look(22 * time.Minute)
	failing()
	w.ends(30*time.Minute, webhook.Delivered, 9)
	w.look(31 * time.Minute)
}

// skip takes in a booking while the webhook is off.
func (w *watched) skip(reference string) {
	w.Helper()
	subscriptions, err := w.store.Subscriptions(w.Context(), w.account.ID)
	check(w.T, err)
	_, err = w.store.Insert(w.Context(), webhook.NewPlan(subscriptions, []webhook.Event{{Platform: "tourcms", Type: "new_confirmed_web", BookingID: reference, OccurredAt: w.began, Data: []byte(`{}`)}}, w.began, w.began))
	check(w.T, err)
}

// TestFallbackSwitchedOff: while Bookhook has the webhook off, what is skipped is listed.
func TestFallbackSwitchedOff(t *testing.T) {
	t.Parallel()
	w := newFallback(t, false)
	id := w.book("B-1")[0]
	_, err := w.store.Finish(t.Context(), webhook.Result{Delivery: id, Account: w.account.ID, Webhook: w.hook.ID, State: webhook.Pending, NextAt: w.began.Add(time.Minute), Gone: true, Attempt: webhook.Attempt{
		Number: 1, StartedAt: w.began, Status: 410, Failure: webhook.FailGone,
	}}, w.began)
	check(t, err)
	w.skip("B-2")
	w.look(time.Minute)
	m := w.says("Accounting is off: 2 bookings have not arrived", "Accounting was switched off on ", "after failures", "410 Gone", "but only when somebody switches Accounting on again. "+marks,
		"1 of them was skipped because Accounting is off, and will not be delivered unless somebody sends it when it is on again.", "While Accounting is off, new bookings are skipped. The next messages list them.")
	if got := columns(w.rows(m), "Reference", "State"); got != "B-1|Waiting until the webhook is switched on\nB-2|Skipped while the webhook is off, not delivered by itself" {
		t.Errorf("got\n%s", got)
	}
	w.store.Backdate(-time.Hour)
	w.skip("B-3")
	w.look(61*time.Minute + time.Second)
	if got := columns(w.rows(w.says("Accounting is off: 1 booking has not arrived", "It was skipped because")), "Reference"); got != "B-3" {
		t.Errorf("got %s", got)
	}
	_, err = w.store.SetEnabled(t.Context(), w.account.ID, w.hook.ID, true, webhook.Change{By: "anna@example.com", At: w.began.Add(2 * time.Hour)})
	check(t, err)
	w.ends(2*time.Hour, webhook.Delivered, 9)
	w.look(2*time.Hour + time.Minute)
	w.says("Accounting accepts bookings again", "1 delivered", "2 events were skipped while it was off, and not delivered unless somebody sent them.", baseURL+"/replays/new?")
}

// TestFallbackEnds: the last message says why it is the last, and what happens now.
func TestFallbackEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do      func(w *watched)
		subject string
		says    []string
		row     string
	}{
		"switched off by somebody": {func(w *watched) {
			_, err := w.store.SetEnabled(w.Context(), w.account.ID, w.hook.ID, false, w.office.change())
			check(w.T, err)
		}, "Accounting was switched off by somebody", []string{"What is waiting will be delivered when it is switched on again. New bookings are skipped until then", "1 waiting"}, "Waiting until the webhook is switched on"},
		"deleted": {func(w *watched) {
			_, err := w.store.DeleteWebhook(w.Context(), w.account.ID, w.hook.ID, w.office.change())
			check(w.T, err)
		}, "Accounting was deleted", []string{"What was waiting for it was cancelled.", "1 cancelled", "will not be delivered: enter it by hand."}, "Cancelled, not delivered"},
		"removed": {func(w *watched) {
			_, err := w.store.RemoveFallback(w.Context(), w.account.ID, w.hook.ID, w.office.change())
			check(w.T, err)
		}, "Bookings of Accounting no longer come here", []string{"Somebody chose another address, or none", "What is waiting will still be delivered by Bookhook."}, stillComes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFallback(t, false)
			w.fails(0, w.book("B-1")...)
			w.look(90 * time.Second)
			w.says("Accounting is failing: 1 booking has not arrived")
			c.do(w)
			w.look(2 * time.Minute)
			if got := columns(w.rows(w.says(c.subject, c.says...)), "Reference", "State"); got != "B-1|"+c.row {
				t.Errorf("got %s", got)
			}
			w.look(5 * time.Hour)
			w.none("after the last")
		})
	}
}

// TestFallbackGuestsInTheLast: a last message has guests' data only if its address is still
// to get them, and is not sent if it wants nothing any more.
func TestFallbackGuestsInTheLast(t *testing.T) {
	t.Parallel()
	choose := func(address string, guests bool) func(w *watched) {
		return func(w *watched) {
			_, err := w.store.SetFallback(w.Context(), fallback.Fallback{Account: w.account.ID, Webhook: w.hook.ID, Address: address, Guests: guests}, w.office.change())
			check(w.T, err)
		}
	}
	over := func(w *watched) {
		w.ends(2*time.Minute, webhook.Delivered, 9)
		check(w.T, w.watcher.look(w.Context(), w.began.Add(3*time.Minute)))
	}
	remove := func(w *watched) {
		_, err := w.store.RemoveFallback(w.Context(), w.account.ID, w.hook.ID, w.office.change())
		check(w.T, err)
	}
	for name, c := range map[string]struct {
		do     []func(w *watched)
		sent   bool
		guests bool
	}{
		"over":                         {[]func(w *watched){over}, true, true},
		"over, then left out":          {[]func(w *watched){over, choose(backOffice, false)}, true, false},
		"added anew and not confirmed": {[]func(w *watched){over, choose(backOffice, false), choose(backOffice, true)}, true, false},
		"over, then removed":           {[]func(w *watched){over, remove}, true, false},
		"over, then another address":   {[]func(w *watched){over, choose("new@office.example", true)}, true, false},
		"over, then stopped": {[]func(w *watched){over, func(w *watched) {
			check(w.T, w.store.StopFallback(w.Context(), w.hook.ID, backOffice, time.Now()))
		}}, false, false},
		"removed":                  {[]func(w *watched){remove}, true, false},
		"another address":          {[]func(w *watched){choose("new@office.example", true)}, true, false},
		"removed and chosen again": {[]func(w *watched){remove, choose(backOffice, true)}, true, false},
		"deleted": {[]func(w *watched){func(w *watched) {
			_, err := w.store.DeleteWebhook(w.Context(), w.account.ID, w.hook.ID, w.office.change())
			check(w.T, err)
		}}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFallback(t, true)
			w.fails(0, w.book("B-1")...)
			w.look(90 * time.Second)
			if _, with := w.rows(w.says("Accounting is failing: 1 booking has not arrived", guestsNote))[0]["Guest"]; !with {
				t.Fatal("the list has no guests")
			}
			for _, do := range c.do {
				do(w)
			}
			w.send(w.began.Add(4 * time.Minute))
			sent := 0
			for len(w.server.Messages) > 0 {
				m := w.server.Next(t)
				if len(m.Files) == 0 { // asks to confirm
					continue
				}
				sent++
				_, with := w.rows(m)[0]["Guest"]
				if m.To != backOffice || with != c.guests || strings.Contains(m.Text, guestsNote) != c.guests {
					t.Errorf("guests: got %t in the file to %s, want %t:\n%s", with, m.To, c.guests, m.Text)
				}
			}
			if (sent == 1) != c.sent {
				t.Errorf("got %d last messages", sent)
			}
		})
	}
}

// TestFallbackOvertaken: what waited for the mail server is not sent when it says nothing
// any more, and nothing is said about what was never listed.
func TestFallbackOvertaken(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(w *watched){
		"it accepts again": func(w *watched) { w.ends(95*time.Second, webhook.Delivered, 9) },
		"stopped": func(w *watched) {
			check(w.T, w.store.StopFallback(w.Context(), w.hook.ID, backOffice, time.Now()))
		},
		"another address": func(w *watched) {
			_, err := w.store.SetFallback(w.Context(), fallback.Fallback{Account: w.account.ID, Webhook: w.hook.ID, Address: "new@office.example"}, w.office.change())
			check(w.T, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFallback(t, false)
			w.fails(0, w.book("B-1")...)
			check(t, w.watcher.look(t.Context(), w.began.Add(90*time.Second)))
			do(w)
			check(t, w.watcher.look(t.Context(), w.began.Add(2*time.Minute)))
			w.look(2*time.Minute + time.Second)
			w.look(3 * time.Hour)
			for len(w.server.Messages) > 0 {
				if m := w.server.Next(t); m.To != "new@office.example" || len(m.Files) > 0 {
					t.Errorf("got %q to %s", m.Header.Get("Subject"), m.To)
				}
			}
		})
	}
}

// TestFallbackBound: of many bookings a message has the first, and says how many it lacks.
func TestFallbackBound(t *testing.T) {
	t.Parallel()
	w := newFallback(t, false)
	var references []string
	for i := range fallback.MaxRows + 3 {
		references = append(references, fmt.Sprintf("B-%04d", i))
	}
	w.fails(0, w.book(references...)[0])
	w.look(90 * time.Second)
	m := w.says("Accounting is failing: more than 1000 bookings have not arrived", "The attached file lists what has not arrived: the first 1000 of 1003 events.", "Sign in to view the others.", "and 993 more")
	rows := w.rows(m)
	if len(rows) != fallback.MaxRows || rows[0]["Reference"] != "B-0000" || rows[999]["Reference"] != "B-0999" {
		t.Errorf("got %d rows, from %v to %v", len(rows), rows[0], rows[len(rows)-1])
	}
}

// TestTwoWatchersOfFallbacks: of several processes that see the same, one sends.
func TestTwoWatchersOfFallbacks(t *testing.T) {
	t.Parallel()
	w := newFallback(t, false)
	w.fails(0, w.book("B-1")...)
	race := func(after time.Duration) {
		ended := make(chan error)
		for range 4 {
			watcher := w.watcher
			watcher.Log = slog.New(slog.DiscardHandler)
			go func() { ended <- watcher.look(t.Context(), w.began.Add(after)) }()
		}
		for range 4 {
			check(t, <-ended)
		}
		w.send(w.began.Add(after))
	}
	race(90 * time.Second)
	w.says("Accounting is failing: 1 booking has not arrived")
	w.ends(2*time.Minute, webhook.Delivered, 9)
	race(3 * time.Minute)
	w.says("Accounting accepts bookings again", "1 delivered")
}

// TestFallbackWithoutMail: nothing piles up while e-mail is not set up.
func TestFallbackWithoutMail(t *testing.T) {
	t.Parallel()
	w := newFallback(t, false)
	w.watcher.Mail = false
	w.fails(0, w.book("B-1")...)
	w.look(90 * time.Second)
	w.look(3 * time.Hour)
	w.none("no e-mail is set up")
}

// TestNextAttempt: a list names no time that is over, and none within a pause.
func TestNextAttempt(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name              string
		next, probe, want time.Duration
	}{
		{"later", time.Minute, 0, time.Minute},
		{"overdue", -time.Minute, 0, 0},
		{"paused", -time.Minute, 5 * time.Minute, 5 * time.Minute},
		{"after the pause", 7 * time.Minute, 5 * time.Minute, 7 * time.Minute},
	} {
		b := &listing{now: now, hook: &webhook.Webhook{Circuit: webhook.Circuit{ProbeAt: now.Add(tt.probe)}}}
		if got := b.nextAttempt(webhook.Delivery{NextAt: now.Add(tt.next)}); !got.Equal(now.Add(tt.want)) {
			t.Errorf("%s: got %s", tt.name, got)
		}
	}
}
