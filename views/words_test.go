package views

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"bookhook/messages"
	"bookhook/platforms"
	"bookhook/webhook"
)

// sentenceCatalogues are some events of three platforms.
func sentenceCatalogues() []Catalogue {
	confirmed := func(key, variant string) platforms.EventType {
		return platforms.EventType{Key: key, When: "is confirmed", Before: "is confirmed", Variant: variant, Inline: true}
	}
	started := func(key, variant string) platforms.EventType {
		return platforms.EventType{Key: key, When: "is started", Before: "is started", Variant: variant, Inline: true, InlineOnly: true}
	}
	return []Catalogue{
		{Platform: "tourcms", Name: "TourCMS", Events: []platforms.EventType{
			confirmed("new_confirmed_staff", "staff"), confirmed("new_confirmed_web", "web/API"),
			{Key: "cancelled", When: "is cancelled"},
			{Key: "expq_quotation", When: "expires as a quotation"},
			{Key: "expp_provisional", When: "expires while provisional"},
			{Key: "redeem_voucher", When: "has a voucher redeemed"},
			{Key: "token_failure", When: "fails to be paid by payment request"},
			started("new_temporary_web", "web/API"), started("new_temporary_staff", "staff"),
			{Key: "temporary_booking_deleted", When: "is dropped", Inline: true, InlineOnly: true},
			{Key: "check_booking_status", Name: "Booking status asked", Before: "is cancelled", Inline: true, InlineOnly: true},
		}},
		{Platform: "wink", Name: "Wink", Events: []platforms.EventType{{Key: "changed", Name: "Booking changed"}}},
		{Platform: "ltd", Name: "London Theatre Direct", Events: []platforms.EventType{{Key: "x", Name: "Slot freed"}}},
	}
}

func sentenceText(c webhook.Config, names Names) string {
	return strings.Join(sentenceParts(c, names), "")
}

func TestSentence(t *testing.T) {
	names := Names{
		Catalogues: sentenceCatalogues(),
		Channels:   map[string]string{"1": "Website", "2": "Viator", "3": "Phone", "4": "Desk", "5": "Klook", "6": "Expedia"},
		Tours:      map[string]string{"7": "Night Walk", "8": "Old Town"},
	}
	all := webhook.NewFilter(webhook.All, nil)
	include := func(ids ...string) webhook.Filter { return webhook.NewFilter(webhook.Include, ids) }
	exclude := func(ids ...string) webhook.Filter { return webhook.NewFilter(webhook.Exclude, ids) }
	for _, test := range []struct {
		events          []string
		channels, tours webhook.Filter
		want            string
	}{
		{[]string{"*"}, all, all, "anything happens to a booking on any channel, for any tour"},
		{[]string{"cancelled"}, all, all, "a booking is cancelled on any channel, for any tour"},
		{[]string{"new_confirmed_web"}, include("1", "2"), exclude("7"), "a booking is confirmed (web/API) on the Website or Viator channel, for any tour except Night Walk"},
		{[]string{"cancelled", "new_confirmed_staff", "new_confirmed_web"}, all, all, "a booking is confirmed or is cancelled, on any channel, for any tour"},
		{
			[]string{"cancelled", "new_confirmed_staff", "redeem_voucher"},
			all, include("7"), "a booking is confirmed (staff), is cancelled or has a voucher redeemed, on any channel, for the tour Night Walk",
		},
		{
			[]string{"cancelled", "expp_provisional", "expq_quotation", "new_confirmed_staff", "redeem_voucher", "token_failure"},
			all, all, "a booking is confirmed (staff), is cancelled, expires as a quotation or one of 3 other events happens, on any channel, for any tour",
		},
		{[]string{"wink:changed"}, all, all, "“Booking changed” (Wink) happens on any channel, for any tour"},
		{[]string{"cancelled", "wink:changed"}, all, all, "a booking is cancelled, or “Booking changed” (Wink) happens, on any channel, for any tour"},
		{[]string{"ltd:x"}, all, all, "“Slot freed” (London Theatre Direct) happens on any channel, for any tour"},
		{nil, include(), include(), "nothing yet happens (no event is chosen) on no channel yet, for no tour yet"},
		{
			[]string{"cancelled"},
			include("1", "2", "3", "4", "5", "6", "9"), exclude("7", "8"),
			"a booking is cancelled on the channels Website, Viator, Phone or one of 4 others, for any tour except Night Walk and Old Town",
		},
		{[]string{"check_booking_status", "new_temporary_web", "gone"}, all, all, "a booking is started (web/API), or “Booking status asked” or “gone” happens, on any channel, for any tour"},
		{[]string{"cancelled"}, all, include("1", "2", "3", "4", "5", "6"), "a booking is cancelled on any channel, for the tours 1, 2, 3 or one of 3 others"},
	} {
		c := webhook.Config{URL: "https://example.com/x", Channels: test.channels, Tours: test.tours}
		c.SelectEvents(test.events)
		if got, want := sentenceText(c, names), "When "+test.want+", call https://example.com/x."; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

var failedAttempts = []webhook.Attempt{{Number: 2, Status: 503, Failure: webhook.FailStatus}, {Number: 1, Failure: webhook.FailTimeout}}

// fix is who can fix a 503 of Accounting, and how.
const fix = "Whoever runs Accounting can fix this. Check the log of the receiver for the time of the last attempt."

func TestStory(t *testing.T) {
	w := &webhook.Webhook{Config: webhook.Config{Name: "Accounting"}, Enabled: true}
	off := &webhook.Webhook{Config: webhook.Config{Name: "Accounting"}, Health: webhook.Health{OffReason: webhook.OffFailing}}
	waiting := webhook.Delivery{State: webhook.Pending, BookingID: "1234", Attempts: 2, Completed: 2, NextAt: now.Add(4 * time.Minute), Last: webhook.Outcome{Status: 503, Failure: webhook.FailStatus}}
	with := func(change func(*webhook.Delivery)) webhook.Delivery {
		d := waiting
		change(&d)
		return d
	}
	for _, test := range []struct {
		name string
		d    webhook.Delivery
		w    *webhook.Webhook
		want Story
	}{
		{"waiting", waiting, w, Story{
			"Accounting has not accepted this event of booking 1234 yet.", "Accounting answered 503 Service Unavailable.", fix,
			"Next attempt at 14:09 (in 4 min); 9 attempts left.",
		}},
		{"last attempt", with(func(d *webhook.Delivery) { d.Attempts, d.Completed, d.NextAt = 10, 10, now.Add(24*time.Hour) }), w, Story{
			"Accounting has not accepted this event of booking 1234 yet.", "Accounting answered 503 Service Unavailable.", fix,
			"Next attempt at 14:05 on Sun 22 Nov (in 1 day); it is the last one.",
		}},
		{"new", with(func(d *webhook.Delivery) {
			d.Attempts, d.Completed, d.NextAt, d.Last, d.Test = 0, 0, now, webhook.Outcome{}, true
		}), w, Story{
			"Accounting has not accepted this test yet.", "", "", "First attempt now.",
		}},
		{"webhook off", waiting, off, Story{
			"Accounting has not accepted this event of booking 1234 yet.", "Accounting answered 503 Service Unavailable.", fix,
			"The webhook was switched off because every delivery had failed for five days. Switch it on to send this delivery.",
		}},
		{"in flight", with(func(d *webhook.Delivery) { d.Attempts = 3 }), w, Story{
			"Attempt 3 of 11 is in progress.", "Previous attempt: Accounting answered 503 Service Unavailable.", "",
			"The result appears here; if it does not, reload the page.",
		}},
		{"cut off", with(func(d *webhook.Delivery) { d.Attempts, d.NextAt = 3, now.Add(-time.Second) }), w, Story{
			"Bookhook stopped during attempt 3; it is not known whether Accounting received it.",
			"It is sent again with the same webhook-id, by which the receiver can recognise it.", "", "Next attempt now; 8 attempts left.",
		}},
		{"delivered", with(func(d *webhook.Delivery) {
			d.State, d.Attempts, d.Completed, d.Finished, d.Last = webhook.Delivered, 3, 3, now, webhook.Outcome{Status: 200}
		}), w, Story{
			"Accounting accepted this event of booking 1234 at 14:05, on attempt 3.", "", "", "",
		}},
		{"failed", with(func(d *webhook.Delivery) {
			d.State, d.Attempts, d.Last = webhook.Failed, 11, webhook.Outcome{Failure: webhook.FailDNS}
			d.CreatedAt, d.Finished = now.Add(-75*time.Hour), now
		}), w, Story{
			"Accounting did not accept this event of booking 1234. Bookhook gave up after 11 attempts over 3 days.", "The host name in the URL was not found.",
			"You can fix this if the URL or its credentials are wrong; otherwise whoever runs Accounting can. Check the spelling of the host in the URL.",
			"Then press Replay to send it again.",
		}},
		{"gone", with(func(d *webhook.Delivery) {
			d.State, d.Attempts, d.Last = webhook.Failed, 1, webhook.Outcome{Status: 410, Failure: webhook.FailGone}
		}), w, Story{
			"Accounting did not accept this event of booking 1234. Bookhook gave up after 1 attempt.", "Accounting answered 410 Gone.", "",
			"This means that the URL is gone for good, so Bookhook switched the webhook off. Correct the URL, switch the webhook on, then press Replay.",
		}},
		{"webhook deleted", with(func(d *webhook.Delivery) { d.State = webhook.Cancelled }), nil, Story{
			"This delivery was cancelled because its webhook was deleted.", "Last attempt: The receiver answered 503 Service Unavailable.", "",
			"The receiver has not accepted it, and it cannot be sent again.",
		}},
	} {
		if got := StoryOf(test.d, failedAttempts, test.w, len(webhook.Schedule), now, madrid()); got != test.want {
			t.Errorf("%s:\ngot  %q\nwant %q", test.name, got, test.want)
		}
	}
}

// What was refused for what it says may have to be corrected where it comes from; a replay would say the same again.
func TestStoryOfRefusedBooking(t *testing.T) {
	t.Parallel()
	d := webhook.Delivery{BookingID: "1234", State: webhook.Failed, Attempts: 1, Completed: 1, Last: webhook.Outcome{Status: 422, Failure: webhook.FailStatus}}
	got := StoryOf(d, nil, &webhook.Webhook{Config: webhook.Config{Name: "Accounting"}}, len(webhook.Schedule), now, madrid())
	want := Story{
		"Accounting did not accept this event of booking 1234. Bookhook gave up after 1 attempt.", "Accounting answered 422 Unprocessable Entity.",
		"If what it answered is about the booking, you can correct that there; otherwise whoever runs Accounting can fix this. A corrected booking comes as a new event, while a replay sends the same data again.",
		"Press Replay once the receiver accepts that data.",
	}
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// What the receiver itself said about the last attempt is part of the story.
func TestStoryQuotesReceiver(t *testing.T) {
	d := webhook.Delivery{State: webhook.Failed, BookingID: "1234", Attempts: 2, Completed: 2, Last: webhook.Outcome{Status: 422, Failure: webhook.FailStatus}}
	said := func(number int) []webhook.Attempt {
		return []webhook.Attempt{{Number: number, Status: 422, Failure: webhook.FailStatus, ResponseBody: []byte(`{"error":"no such guest"}`)}}
	}
	w := &webhook.Webhook{Config: webhook.Config{Name: "Accounting"}, Enabled: true}
	for number, want := range map[int]string{
		2: "Accounting answered 422 Unprocessable Entity. It said: “no such guest”.",
		1: "Accounting answered 422 Unprocessable Entity.", // that of the last attempt is no longer in the log
	} {
		for _, state := range []webhook.State{webhook.Failed, webhook.Pending} {
			d.State = state
			if got := StoryOf(d, said(number), w, 11, now, madrid()).Why; got != want {
				t.Errorf("%s, attempt %d: got %q, want %q", state, number, got, want)
			}
		}
	}
}

// Every reason and every failure has words of its own.
func TestEveryReasonHasWords(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range []webhook.Reason{
		webhook.ReasonDisabled, webhook.ReasonEvent, webhook.ReasonNoChannel, webhook.ReasonChannel, webhook.ReasonNoTour,
		webhook.ReasonTourNotListed, webhook.ReasonTourExcluded, "platform_off", "made_up",
	} {
		if text := ReasonText(r); text == "" || seen[text] {
			t.Errorf("%s: %q", r, text)
		} else {
			seen[text] = true
		}
	}
	for _, f := range []webhook.Failure{
		webhook.FailBlocked, webhook.FailDNS, webhook.FailTLS, webhook.FailRefused, webhook.FailTimeout, webhook.FailNetwork,
		webhook.FailStatus, webhook.FailRedirect, webhook.FailGone, webhook.FailLoop, webhook.FailInternal, webhook.CutOff,
	} {
		if word := messages.FailureWord(f); seen[word] {
			t.Errorf("%s: %q", f, word)
		} else {
			seen[word] = true
		}
		if text := messages.OutcomeText(webhook.Outcome{Status: 418, Failure: f}, messages.NoName); seen[text] && f != webhook.FailGone {
			t.Errorf("%s: %q", f, text)
		} else {
			seen[text] = true
		}
	}
}

// The status of an answer that was not finished is not how the attempt ended.
func TestAnswer(t *testing.T) {
	for _, test := range []struct {
		o          webhook.Outcome
		word, text string
	}{
		{webhook.Outcome{Status: 200}, "200 OK", "The receiver answered 200 OK."},
		{webhook.Outcome{Status: 503, Failure: webhook.FailStatus}, "503 Service Unavailable", "The receiver answered 503 Service Unavailable."},
		{webhook.Outcome{Failure: webhook.FailTimeout}, "No answer in time", "The receiver did not answer in time."},
		{webhook.Outcome{Status: 200, Failure: webhook.FailTimeout}, "Timed out", "The receiver began to answer 200 OK, but did not finish in time."},
		{
			webhook.Outcome{Status: 200, Failure: webhook.FailNetwork},
			"Incomplete answer", "The receiver began to answer 200 OK, but the connection was lost before it had finished.",
		},
	} {
		if got := messages.AnswerText(test.o); got != test.word {
			t.Errorf("%+v: got %q, want %q", test.o, got, test.word)
		}
		if got := messages.OutcomeText(test.o, messages.NoName); got != test.text {
			t.Errorf("%+v: got %q, want %q", test.o, got, test.text)
		}
	}
}

// How an incomplete answer began is shown beside how it ended.
func TestAnswerDetail(t *testing.T) {
	o := webhook.Outcome{Status: 200, Failure: webhook.FailNetwork}
	row := DeliveryRow{Delivery: webhook.Delivery{State: webhook.Failed, Last: o}}
	for _, text := range []string{row.said(now), attemptDetail(webhook.Attempt{Status: o.Status, Failure: o.Failure})} {
		if !strings.Contains(text, "began as 200 OK") {
			t.Errorf("got %q", text)
		}
	}
}

// Beside the status is what a person wants to know next.
func TestSaid(t *testing.T) {
	failed := webhook.Outcome{Status: 503, Failure: webhook.FailStatus}
	for want, row := range map[string]DeliveryRow{
		"":                        {Delivery: webhook.Delivery{State: webhook.Delivered, Last: webhook.Outcome{Status: 200, Duration: time.Second}}},
		"201 Created":             {Delivery: webhook.Delivery{State: webhook.Delivered, Last: webhook.Outcome{Status: 201}}},
		"503 Service Unavailable": {Delivery: webhook.Delivery{State: webhook.Failed, Last: failed}},
		"Night desk is closed":    {Delivery: webhook.Delivery{State: webhook.Failed, Last: failed}, Said: "Night desk is closed"},
		"next in 4 min · Full":    {Delivery: webhook.Delivery{State: webhook.Pending, NextAt: now.Add(4 * time.Minute), Last: failed, Attempts: 1, Completed: 1}, Said: "Full"},
		"webhook is off":          {Delivery: webhook.Delivery{State: webhook.Pending}, WebhookOff: true},
		"Host not found":          {Delivery: webhook.Delivery{State: webhook.Failed, Last: webhook.Outcome{Failure: webhook.FailDNS}}},
		"Timed out, began as 503 Service Unavailable": {Delivery: webhook.Delivery{State: webhook.Failed, Last: webhook.Outcome{Status: 503, Failure: webhook.FailTimeout}}},
	} {
		if got := row.said(now); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A switch-off is announced only while it is in the future.
func TestSwitchOffText(t *testing.T) {
	page := Page{Now: now, Location: madrid()}
	for since, want := range map[time.Duration]string{
		31 * time.Hour:                     "If it keeps failing, Bookhook switches it off on Wed 25 Nov, 07:05.",
		webhook.FailingLimit:               "If it keeps failing, Bookhook switches it off.",
		webhook.FailingLimit + 3*time.Hour: "If it keeps failing, Bookhook switches it off.",
	} {
		w := &webhook.Webhook{Enabled: true, Health: webhook.Health{FailingSince: now.Add(-since)}}
		if got := switchOffText(w, page); got != want {
			t.Errorf("failing for %v: got %q, want %q", since, got, want)
		}
		if got, date := stoppingText(w, page), strings.Contains(want, " on "); strings.Contains(got, "switched off on") != date {
			t.Errorf("failing for %v: the banner says %q", since, got)
		}
	}
}

func TestNextAttemptShort(t *testing.T) {
	row := func(attempts int, in time.Duration, off bool) DeliveryRow {
		d := webhook.Delivery{State: webhook.Pending, Attempts: attempts, Completed: attempts, NextAt: now.Add(in)}
		return DeliveryRow{Delivery: d, WebhookOff: off}
	}
	for _, test := range []struct {
		row  DeliveryRow
		want string
	}{
		{row(0, 0, false), "first attempt due"},
		{row(1, -time.Second, false), "next attempt due"},
		{row(1, 4*time.Minute, false), "next attempt in 4 min"},
		{row(0, 0, true), "webhook is off"},
		{row(1, 4*time.Minute, true), "webhook is off"},
		{DeliveryRow{Delivery: webhook.Delivery{State: webhook.Pending, Held: true}}, "for an earlier event"},
		{DeliveryRow{Delivery: webhook.Delivery{State: webhook.Pending}, Paused: true}, "webhook is paused"},
		{DeliveryRow{Delivery: webhook.Delivery{State: webhook.Pending, Attempts: 1, Completed: 1, NextAt: now.Add(time.Minute)}, Paused: true}, "webhook is paused"},
	} {
		if got := nextAttemptShort(test.row, now); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.row, got, test.want)
		}
	}
}

// Nobody can change a role; the page advises only what can be done.
func TestForbiddenWords(t *testing.T) {
	want := "Ask an operator of your account to do it, or the person who runs this Bookhook."
	if got := errorTexts(http.StatusForbidden).Next; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAgo(t *testing.T) {
	for _, test := range []struct {
		gap  time.Duration
		want string
	}{
		{0, "just now"},
		{-9 * time.Second, "just now"},
		{30 * time.Second, "30 s ago"},
		{59*time.Second + 700*time.Millisecond, "1 min ago"},
		{-4 * time.Minute, "in 4 min"},
		{59*time.Minute + 40*time.Second, "1 h ago"},
		{23*time.Hour + 40*time.Minute, "1 day ago"},
		{6 * 24 * time.Hour, "6 days ago"},
		{30 * 24 * time.Hour, "22 Oct 2026"},
	} {
		if got := ago(now.Add(-test.gap), now, madrid()); got != test.want {
			t.Errorf("%v: got %q, want %q", test.gap, got, test.want)
		}
	}
}

func TestCurl(t *testing.T) {
	got := Curl(webhook.Attempt{
		Method: "POST", URL: "https://example.com/x?a[]=1&b=it's", RequestBody: []byte(`{"name":"O'Brien"}`),
		RequestHeaders: http.Header{"Content-Type": {"application/json"}, "Content-Length": {"18"}},
	})
	want := `curl -g -i -X POST 'https://example.com/x?a[]=1&b=it'\''s' \
  -H 'content-type: application/json' \
  --data-raw '{"name":"O'\''Brien"}'`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"no events in 0":        "no events in " + number(0),
		"1 event":               count(1, false, "event", "events"),
		"1,234,567 events":      count(1234567, false, "event", "events"),
		"more than 10,000 rows": count(10000, true, "row", "rows"),
		"2 rows":                counted(webhook.Count{N: 2}, "row", "rows"),
		"at least 1 row":        counted(webhook.Count{N: 1, More: true}, "row", "rows"),
		"at least 9,999 rows":   counted(webhook.Count{N: 9999, More: true}, "row", "rows"),
		"more than 10,000 logs": counted(webhook.Count{N: 10000, More: true}, "log", "logs"),
		"":                      counted(webhook.Count{More: true}, "row", "rows"),
		"3 November, 14:05":     date(time.Date(2026, 11, 3, 14, 5, 6, 7, time.UTC), time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC), time.UTC),
		"1 January 2027, 00:30": date(time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC), time.Date(2026, 12, 31, 22, 0, 0, 0, time.UTC), time.FixedZone("", 3600)),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestNoAnswer: a refused connection is no answer, and one that breaks off is an incomplete one.
func TestNoAnswer(t *testing.T) {
	for want, o := range map[string]webhook.Outcome{
		"Accounting did not answer: ":            {Failure: webhook.FailRefused},
		"Accounting did not answer completely: ": {Status: 200, Failure: webhook.FailNetwork},
	} {
		w := &webhook.Webhook{Config: webhook.Config{Name: "Accounting"}}
		if got := messages.Text(ResultMessage(o, w)); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q…", got, want)
		}
	}
}
