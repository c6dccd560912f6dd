package views

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"bookhook/platforms"
	"bookhook/stats"
	"bookhook/webhook"
)

// kind of a fixture: the same pages with ordinary, no, and hostile content.
type kind struct {
	name string
	text func(string) string // turns an ordinary text into one of the kind
	n    int                 // how many of everything
}

const hostile = `<script>alert(1)</script>"'&</title></textarea>🌋 Überlänge `

var kinds = []kind{
	{"normal", func(s string) string { return s }, 8},
	{"empty", func(string) string { return "" }, 0},
	{"extreme", func(s string) string { return hostile + s + strings.Repeat("weird🦄", 28) }, 3},
}

var now = time.Date(2026, 11, 21, 13, 5, 9, 0, time.UTC)

func madrid() *time.Location {
	loc, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		panic(err)
	}
	return loc
}

func (k kind) page(role webhook.Role) Page {
	p := Page{
		User:    webhook.User{ID: 7, Email: "marta@" + k.text("seatours.example"), Role: role},
		Account: webhook.Account{ID: 3, Number: 4069, Name: k.text("Sea & Sun Tours"), WebhookLimit: 10},
		Path:    "/webhooks?x=" + k.text("1"), Location: madrid(), Now: now, Changes: "1a2b",
	}
	return p
}

func (k kind) webhook(i int) *webhook.Webhook {
	names := []string{"Accounting", "Mailchimp", "Guide rota", "Partner: Viator sync", "Data warehouse", "Night desk", "Old CRM", "Printer"}
	w := &webhook.Webhook{
		ID: webhook.WebhookID(9e16 + i), Config: webhook.NewConfig([]string{"cancelled", "new_confirmed_staff", "new_confirmed_web"}),
		Enabled: true, CreatedAt: now.Add(-400 * time.Hour), UpdatedAt: now.Add(-3 * time.Hour),
	}
	w.Name, w.URL = cmp.Or(k.text(names[i%len(names)]), "W"), "https://hooks.example.com/"+k.text("bookings?ApplyTourCMSPromo=FULL")
	w.Tours = webhook.NewFilter(webhook.Exclude, []string{"15"})
	switch i % 5 {
	case 1:
		w.FailingSince, w.Format = now.Add(-31*time.Hour), webhook.Standard
		w.Channels = webhook.NewFilter(webhook.Include, []string{"3930", "3931"})
	case 2:
		w.Enabled, w.OffReason, w.OffAt, w.Skipped = false, webhook.OffFailing, now.Add(-5*time.Hour), 41
	case 3:
		w.Enabled, w.OffReason, w.OffAt = false, webhook.OffByUser, now.Add(-50*time.Hour)
	case 4:
		w.AllEvents, w.Events = true, nil
	}
	return w
}

func (k kind) names() Names {
	catalogues := k.catalogues()
	if k.name == "normal" {
		catalogues = sentenceCatalogues()
	}
	return Names{
		Catalogues: catalogues,
		Channels:   map[string]string{"3930": k.text("Website"), "3931": k.text("Viator")},
		Tours:      map[string]string{"15": k.text("Night Walk"), "12": k.text("Old Town on Foot")},
	}
}

func (k kind) delivery(i int) webhook.Delivery {
	d := webhook.Delivery{
		ID: webhook.DeliveryID(8e16 + i), Event: 77, Webhook: 9e16, Platform: "tourcms", Type: "new_confirmed_web",
		BookingID: k.text(fmt.Sprint(12345 - i)), Attempts: 1, Completed: 1, CreatedAt: now.Add(-time.Duration(i*i*7+1) * time.Minute),
		Last: webhook.Outcome{Status: 200, Duration: 84 * time.Millisecond}, State: webhook.Delivered, Finished: now.Add(-time.Duration(i*i*7+1)*time.Minute + 84*time.Millisecond),
	}
	switch i % 8 {
	case 1:
		d.State, d.Attempts, d.Completed, d.Finished = webhook.Pending, 2, 2, time.Time{}
		d.NextAt, d.Last = now.Add(4*time.Minute), webhook.Outcome{Status: 503, Failure: webhook.FailStatus, Duration: 1250 * time.Millisecond}
	case 2:
		d.State, d.Attempts, d.Completed = webhook.Failed, 11, 11
		d.Last = webhook.Outcome{Failure: webhook.FailTimeout, Duration: 15 * time.Second}
		d.CreatedAt = now.Add(-77 * time.Hour)
		d.Finished = now.Add(-time.Hour)
	case 3:
		d.State, d.Attempts, d.Completed, d.Finished, d.Last = webhook.Pending, 1, 0, time.Time{}, webhook.Outcome{}
		d.NextAt = now.Add(20 * time.Second)
	case 4:
		d.State, d.Last = webhook.Cancelled, webhook.Outcome{Failure: webhook.FailRefused, Duration: 900 * time.Microsecond}
	case 7:
		d.State, d.Attempts, d.Completed, d.Finished, d.NextAt = webhook.Pending, 2, 2, time.Time{}, now.Add(-time.Hour)
		d.Last = webhook.Outcome{Status: 200, Failure: webhook.FailTimeout, Duration: 15 * time.Second}
	case 5:
		d.Test, d.BookingID = true, "TEST-1"
	case 6:
		d.Attempts, d.Completed, d.Base = 4, 4, 3
	}
	return d
}

func (k kind) held() webhook.Delivery {
	d := k.delivery(7)
	d.ID, d.Held, d.Attempts, d.Completed, d.NextAt, d.Last = 81e15, true, 0, 0, time.Time{}, webhook.Outcome{}
	return d
}

func (k kind) circuit() webhook.Circuit {
	return webhook.Circuit{Failures: 12, ProbeAt: now.Add(4*time.Minute + 20*time.Second)}
}

// paused is a webhook whose circuit is open.
func (k kind) paused(i int) *webhook.Webhook {
	w := k.webhook(i)
	w.Circuit = k.circuit()
	return w
}

func (k kind) row(i int) DeliveryRow {
	r := DeliveryRow{Delivery: k.delivery(i), EventName: k.text("New confirmed booking (web/API)"), EventShort: k.text("Confirmed (web/API)"), WebhookName: k.webhook(i).Name, WebhookOff: !k.webhook(i).Enabled}
	if i == 6 {
		r.WebhookName += " (deleted)"
	}
	return r
}

func (k kind) attempt(n int, o webhook.Outcome) webhook.Attempt {
	a := webhook.Attempt{
		Number: n, StartedAt: now.Add(-time.Duration(12-n) * time.Hour), Duration: o.Duration, Status: o.Status, Failure: o.Failure,
		Method: "POST", URL: k.webhook(0).URL, RemoteAddr: "192.0.2.1:443",
		RequestHeaders: http.Header{
			"User-Agent": {"bookhook/0.1.0"}, "Content-Type": {"application/json"}, "Webhook-Id": {k.delivery(0).ID.String()},
			"Webhook-Timestamp": {"1795266309"}, "Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, "Bookhook-Attempt": {fmt.Sprint(n)},
		},
		RequestBody: []byte(`{"id":"evt_02gtcfw2k0400","type":"new_confirmed_web","platform":"tourcms","account_id":"4069","channel_id":"3930","tour_ids":["12"],"booking_id":"12345","timestamp":"2026-11-21T13:05:09Z","data":{"customer":"` + "O’Brien 🚤" + `","pax":2}}`),
	}
	if o.Status != 0 {
		a.ResponseHeaders = http.Header{"Content-Type": {"text/plain"}, "Server": {k.text("nginx")}}
		a.ResponseBody = []byte(k.text("upstream connect error"))
		a.Truncated = n == 1
	}
	if o.Failure != "" {
		a.Error = webhook.NewMessage("the receiver answered", k.text(fmt.Sprint(o.Status)))
	}
	return a
}

func (k kind) attempts(d webhook.Delivery) []webhook.Attempt {
	var list []webhook.Attempt
	for n := 1; n <= d.Completed; n++ {
		o := webhook.Outcome{Status: 503, Failure: webhook.FailStatus, Duration: 640 * time.Millisecond}
		if n == d.Completed {
			o = d.Last
		}
		if n == 3 && d.Completed > 4 {
			continue // cut off
		}
		list = append(list, k.attempt(n, o))
	}
	return list
}

func (k kind) invalid(fields ...string) webhook.Invalid {
	v := webhook.Invalid{}
	for _, f := range fields {
		v.AddMessage(f, webhook.Message{Code: "Something is wrong with " + f, Args: []string{k.text("here")}})
	}
	return v
}

// message is one without a text of its own, which is shown as it is.
func (k kind) message(text string) webhook.Message {
	return webhook.Message{Code: text, Args: []string{k.text("here")}}
}

func (k kind) items(n int) []webhook.Item {
	names := []string{"Website", "Viator", "GetYourGuide", "Hotel Miramar desk", "Phone", "Walk-in", "Expedia", "Klook"}
	var list []webhook.Item
	for i := range n {
		item := webhook.Item{ID: k.text(fmt.Sprint(3930 + i)), Name: k.text(names[i%len(names)])}
		if i%4 == 3 {
			item.RetiredAt = now.Add(-time.Hour)
		}
		list = append(list, item)
	}
	return list
}

func (k kind) draft() *webhook.Draft {
	d := webhook.NewDraft([]string{"new_confirmed_staff", "new_confirmed_web", "cancelled"})
	d.ID, d.Name, d.URL, d.UpdatedAt = 55, k.text("Accounting"), "https://hooks.example.com/"+k.text("bookings"), now.Add(-26*time.Minute)
	d.Done = []webhook.Step{webhook.StepType, webhook.StepName, webhook.StepEvents}
	d.Channels = webhook.NewFilter(webhook.Include, []string{k.text("3931"), "9999"})
	d.Tours = webhook.NewFilter(webhook.Exclude, []string{"15"})
	if k.n == 0 {
		d = webhook.NewDraft(nil)
	}
	return &d
}

func (k kind) wizard(fields ...string) WizardProps {
	return WizardProps{Page: k.page(webhook.RoleOperator), Draft: k.draft(), Problems: k.invalid(fields...)}
}

func (k kind) catalogues() []Catalogue {
	if k.n == 0 {
		return nil
	}
	event := func(key, group, name, about string, primary bool) platforms.EventType {
		return platforms.EventType{Key: key, Group: group, Name: k.text(name), Description: k.text(about), Primary: primary}
	}
	return []Catalogue{{Platform: "tourcms", Name: "TourCMS", Events: []platforms.EventType{
		event("new_confirmed_staff", "New booking", "New confirmed booking (staff)", "A booking reached Confirmed status through a staff member; also sent when an existing booking is moved to Confirmed by staff.", true),
		event("new_confirmed_web", "New booking", "New confirmed booking (web/API)", "A booking reached Confirmed status through the booking engine or the API.", true),
		event("new_provisional_staff", "New booking", "New provisional booking (staff)", "Staff created a booking in Provisional status, or moved one to it.", false),
		event("cancelled", "Cancellation", "Booking cancelled", "The booking was cancelled.", true),
		event("expq_quotation", "Expiry", "Quotation expired", "A booking still in Quotation status ran out of time.", false),
		event("redeem_voucher", "Redemption", "Voucher redeemed", "At least one component of the booking was redeemed.", false),
		event("token_success", "Payment", "Payment request paid", "The customer paid successfully from an e-mailed payment request.", false),
	}}}
}

// manyEvents are of another platform, which is off, with all that an event can be.
func (k kind) manyEvents() []Catalogue {
	if k.n == 0 {
		return nil
	}
	c := Catalogue{Platform: "wink", Name: "Wink", Off: true}
	for i := range 30 {
		e := platforms.EventType{
			Key: fmt.Sprintf("account.updated.%d", i), Group: "Account events", GroupET: k.text("Konto sündmused"), Name: k.text("Account updated"),
			NameET: k.text("Konto uuendatud"), Description: k.text("Something in the account record changed."), Retired: i%5 == 0,
		}
		if i > 7 {
			e.Subgroup, e.SubgroupET = k.text("Account tasks"), k.text("Konto ülesanded")
		}
		if i > 20 {
			e.Group, e.GroupET, e.Assumed = k.text("Booking events"), "", k.text("Wink documents only the first; this key follows its pattern.")
		}
		c.Events = append(c.Events, e)
	}
	return []Catalogue{c}
}

func (k kind) types() []EventTypes {
	types := []EventTypes{{Platform: k.text("TourCMS"), Options: []Option{{"cancelled", cmp.Or(k.text("Booking cancelled"), "cancelled")}}}}
	if k.n > 0 {
		types = append(types, EventTypes{Platform: k.text("Wink"), Options: []Option{{"wink:booking.create", k.text("Booking created")}}})
	}
	return types
}

func (k kind) examples() []Example {
	url := "https://hooks.example.com/bookings"
	return []Example{
		{Format: webhook.Native, URL: url, Text: "GET " + url + "?event=new_confirmed_web&account_id=4069&account_name=Sea%20%26%20Sun&channel_id=3930&booking_id=1234\nuser-agent: bookhook/0.1.0\nwebhook-id: dlv_02gtcfw2k0400\nwebhook-timestamp: 1795266309\nwebhook-signature: v1,…"},
		{Format: webhook.Standard, URL: url, Text: "POST " + url + "\ncontent-type: application/json\nwebhook-id: dlv_02gtcfw2k0400\nwebhook-timestamp: 1795266309\nwebhook-signature: v1,…\n\n{\n  \"id\": \"evt_02gtcfw2k0400\",\n  \"type\": \"new_confirmed_web\",\n  \"account_id\": \"4069\"\n}"},
	}
}

func (k kind) rows() (list []DeliveryRow) {
	for i := range k.n {
		list = append(list, k.row(i))
	}
	if k.n > 0 {
		held := k.row(7)
		held.Delivery = k.held()
		list = append(list, held)
	}
	return list
}

func (k kind) differences() []Difference {
	here := k.draft().Config
	there := here
	there.Name, there.Basic, there.AllEvents = k.text("Books"), k.text("secret"), !here.AllEvents
	there.Tours = webhook.NewFilter(webhook.Include, []string{k.text("12")})
	return Differences(here, there, k.names())
}

// stats are charts of a report: much and little, without and with failures.
func (k kind) stats(period stats.Period) StatsProps {
	report := stats.NewReport(period, now, madrid())
	for i := range report.Buckets {
		a := stats.Attempt{StartedAt: report.Buckets[i].Start}
		for n := range k.n * (i % 4) {
			a.Reason, a.GivenUp, a.Responded, a.Duration = "", false, true, time.Duration(i*n)*time.Millisecond
			if n%5 == 4 {
				a.Reason, a.GivenUp, a.Responded = []stats.Reason{"timeout", "status 503", "cut_off"}[i%3], i%2 == 0, false
			}
			report.Buckets[i].Count(a)
		}
	}
	report.Sum()
	return StatsProps{Page: k.page(webhook.RoleStaff), Report: report, Path: "/stats"}
}

func (k kind) days(i int) *stats.Sparkline {
	line := stats.NewSparkline(now, madrid())
	for day := range line.Days {
		line.Days[day] = stats.DayCounts{Delivered: int64(day * i * k.n), FailedAttempts: int64(i % 3)}
	}
	return line
}
