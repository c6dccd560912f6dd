package views

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/a-h/templ"

	"bookhook/checklist"
	"bookhook/fallback"
	"bookhook/incidents"
	"bookhook/platforms"
	"bookhook/stats"
	"bookhook/webhook"
)

// pages are all pages with the content of the kind, by name.
func (k kind) pages() map[string]templ.Component {
	all := map[string]templ.Component{}
	add := func(name string, c templ.Component) { all[name] = c }
	k.addOutside(add)
	k.addHome(add)
	k.addWebhooks(add)
	k.addStats(add)
	k.addWizard(add)
	k.addLog(add)
	k.addReplays(add)
	k.addReconciliations(add)
	k.addBooking(add)
	k.addSettings(add)
	k.addPlatforms(add)
	return all
}

func (k kind) addOutside(add func(string, templ.Component)) {
	page := k.page(webhook.RoleStaff)
	add("login", Login(LoginProps{Email: k.text("marta@example.com"), Next: "/deliveries", Problem: k.message("Wrong e-mail address or password.")}))
	add("login-mail", Login(LoginProps{Mail: true}))
	add("forgotten", Forgotten(ForgottenProps{Mail: true, Email: k.text("marta"), Problems: k.invalid("email")}))
	add("forgotten-sent", Forgotten(ForgottenProps{Mail: true, Sent: true}))
	add("forgotten-ask", Forgotten(ForgottenProps{Support: webhook.Support(k.text("support@example.com"))}))
	reset := ChoosePasswordProps{Action: "/password/new", Token: "t", Email: k.text("marta@example.com"), Problems: k.invalid("password")}
	add("reset", ChoosePassword(reset))
	reset.Invitation, reset.AccountName = &webhook.Invitation{CreatedBy: k.text("anna@example.com")}, k.text("Sea Tours")
	add("invitation", ChoosePassword(reset))
	add("before-setup", BeforeSetup(Outside{BaseURL: "https://bookhook.example.com"}))
	add("setup", Setup(SetupProps{Token: "t", TimeZone: "UTC", Zones: []string{"UTC", "Europe/London"}, AccountName: k.text("Sea Tours"), Problems: k.invalid("account_number", "password")}))
	for _, status := range []int{400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503} {
		add(fmt.Sprintf("error-%d", status), Error(ErrorProps{Page: &page, Status: status, RequestID: k.text("K3TQ")}))
		add(fmt.Sprintf("error-%d-outside", status), Error(ErrorProps{Status: status, What: k.text(""), RequestID: "K3TQ"}))
	}
}

// addHome adds the overviews of an account and of the instance.
func (k kind) addHome(add func(string, templ.Component)) {
	home := HomeProps{Page: k.page(webhook.RoleAdmin), Webhooks: k.n * 2, On: k.n, InNeed: k.n / 2, Failed: map[webhook.WebhookID]webhook.Count{1: {N: k.n}}, FailedSince: now.AddDate(0, 0, -7), Rejected: k.n}
	home.Today = stats.Today{Events: int64(k.n) * 1234, Waiting: k.n * 40, OldestWaiting: now.Add(-time.Hour)}
	for i := range k.n {
		w, d := k.paused(i), k.delivery(i)
		if i == 0 {
			w.Enabled, w.OffReason = false, webhook.OffGone
		}
		line := stats.NewSparkline(now, time.UTC)
		line.Days[i%stats.SparklineDays] = stats.DayCounts{Delivered: int64(i), FailedAttempts: 1}
		home.Rows = append(home.Rows, WebhookRow{Webhook: w, Last: &d, Backlog: webhook.Backlog{Waiting: i, Oldest: now}, Failed: webhook.Count{N: i}, Days: line})
	}
	home.Platforms = []PlatformPanel{{
		Key: "tourcms", Name: k.text("TourCMS"), Connect: []string{k.text("Enter this address.")}, Address: "http://127.0.0.1/in/tourcms/x",
		Connection: &webhook.Connection{Enabled: true},
	}}
	for range k.n {
		home.Silent = append(home.Silent, SilentSource{Platform: "tourcms", Channel: k.text("3930"), Name: k.text("Viator (TourCMS)"), Since: now.Add(-time.Hour), Usual: int64(k.n)})
	}
	add("home-new", Home(home))
	home.Checklist.Rejected = &RejectedRow{RejectedRequest: webhook.RejectedRequest{Why: k.message("It cannot be read."), LastAt: now}, PlatformName: k.text("TourCMS")}
	home.Checklist.Facts = checklist.Facts{Rejected: true, CalledAt: now}
	add("home-rejected", Home(home))
	home.Checklist.Facts = checklist.Facts{CalledAt: now, Event: 1, Webhook: true, Delivered: true}
	home.Checklist.Event, home.Checklist.EventName = webhook.Event{ID: 1, BookingID: k.text("4711"), ReceivedAt: now}, k.text("Booking cancelled")
	add("home-event", Home(home))
	home.Page.User.Role = webhook.RoleStaff
	add("home-staff", Home(home))

	instance := InstanceProps{Page: k.page(webhook.RoleAdmin), First: true, After: int64(k.n), Lines: map[webhook.AccountID]*stats.Sparkline{}}
	for i := range k.n {
		a := webhook.Account{ID: webhook.AccountID(i + 1), Number: int64(i), Name: k.text("Sea Tours")}
		instance.Rows = append(instance.Rows, webhook.AccountUse{Account: a, Webhooks: i, Attention: i / 2})
		instance.Lines[a.ID] = stats.NewSparkline(now, time.UTC)
	}
	instance.InNeed = instance.Rows
	for i := range min(k.n, 3) {
		instance.Replicas = append(instance.Replicas, webhook.Replica{Name: k.text("node-1:8080"), Version: k.text("v1.2.3"), StartedAt: now, SeenAt: now, Alive: i < 2, Leaving: i == 1, Own: i == 0, Shards: webhook.AllShards})
	}
	add("instance", Instance(instance))
}

func (k kind) addWebhooks(add func(string, templ.Component)) {
	list := WebhooksProps{Page: k.page(webhook.RoleOperator), Used: k.n, Limit: 10, Names: k.names(), Support: "support@example.com"}
	for i := range k.n {
		d := k.delivery(i)
		row := WebhookRow{Webhook: k.webhook(i), Last: &d, Backlog: webhook.Backlog{Waiting: i * i, Oldest: now.Add(-4 * time.Minute)}}
		if i%5 == 1 {
			row.Webhook.Circuit, row.Backlog.Waiting = k.circuit(), webhook.CountCap+1
		}
		row.Days = k.days(i)
		list.Rows = append(list.Rows, row)
	}
	if k.n > 0 {
		list.Rows[0].Last = nil
		list.Drafts = []webhook.Draft{*k.draft()}
	}
	add("webhooks", Webhooks(list))
	list.Page.User.Role, list.Used = webhook.RoleStaff, 10
	add("webhooks-staff", Webhooks(list))
	full := list
	full.Page.User.Role = webhook.RoleAdmin
	full.Page.Flash = []Flash{{Text: k.text("“Old CRM” was deleted.")}}
	add("webhooks-full", Webhooks(full))
	for i := range 3 {
		p := WebhookProps{Page: k.page(webhook.RoleOperator), Webhook: k.webhook(i), Names: k.names(), Stats: k.stats(stats.Day)}
		p.Backlog.Waiting = i * 4
		p.Failed, p.FailedSince = webhook.Count{N: i}, now.Add(-week)
		if i == 0 {
			p.NewSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
			p.Page.Flash = []Flash{{Text: "The webhook was created and is on."}}
		} else {
			p.Recent, p.Used = k.rows(), true
		}
		if i == 1 {
			p.NewSecret, p.Rotated, p.OldUntil = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true, now.Add(24*time.Hour)
		}
		add(fmt.Sprintf("webhook-%d", i), Webhook(p))
		list := DeliveriesProps{Page: p.Page, Webhook: p.Webhook.ID, Rows: p.Recent, First: true, Types: k.types(), Problems: k.invalid("booking_id")}
		add(fmt.Sprintf("webhook-%d-deliveries", i), WebhookDeliveries(p, list))
		p.Fallback = FallbackForm{Mail: i > 0, Email: k.text("office@example.com"), Guests: i == 1}
		if i == 2 {
			p.Fallback.Problems = k.invalid("email")
		}
		add(fmt.Sprintf("webhook-%d-settings", i), WebhookSettings(p))
		add(fmt.Sprintf("webhook-%d-signing", i), WebhookSigning(p))
	}
	for i := range 3 {
		p := WebhookProps{Page: k.page(webhook.RoleOperator), Webhook: k.webhook(i), Stats: k.stats(stats.Month)}
		p.Webhook.SecretShownAt = now.Add(-time.Hour)
		if i > 0 {
			p.Webhook.SecretStored = webhook.Change{By: k.text("marta@example.com"), At: now}
		}
		if i > 1 {
			p.Page.User.Role = webhook.RoleStaff
		}
		add(fmt.Sprintf("webhook-stored-%d", i), Webhook(p))
		add(fmt.Sprintf("webhook-stored-%d-signing", i), WebhookSigning(p))
	}
	for name, recent := range map[string][]DeliveryRow{"webhook-circuit": k.rows(), "webhook-circuit-none": nil} {
		p := WebhookProps{Page: k.page(webhook.RoleOperator), Webhook: k.paused(1), Names: k.names(), Recent: recent, Used: true, Stats: k.stats(stats.Week)}
		p.Webhook.Ordered, p.Webhook.Rate = true, webhook.Rate{Requests: 60, Per: webhook.Minute}
		p.Backlog = webhook.Backlog{Waiting: 240, Oldest: now.Add(-4 * time.Minute)}
		add(name, Webhook(p))
	}
}

func (k kind) addStats(add func(string, templ.Component)) {
	for _, period := range stats.Periods {
		add("stats-"+string(period), AccountStats(k.stats(period)))
	}
	p := k.stats(stats.Week)
	p.Page, p.Page.Location = k.page(webhook.RoleAdmin), time.UTC
	add("stats-instance", InstanceStats(p))
}

func (k kind) replay(i int) webhook.Replay {
	r := webhook.Replay{
		ID: webhook.ReplayID(i + 1), State: webhook.ReplayRunning, Total: 312, Sent: 40, Delivered: 30, Failed: i, LeftOut: i,
		Created: webhook.Change{By: k.text("marta@example.com"), At: now.Add(-time.Minute)}, Request: webhook.ReplayRequest{All: i == 1, Rate: webhook.Rate{Requests: i, Per: webhook.Minute}},
	}
	if i%3 == 1 {
		r.State, r.Finished = webhook.ReplayDone, now
	}
	if i%3 == 2 {
		r.State, r.Finished = webhook.ReplayCancelled, now
	}
	return r
}

func (k kind) addReplays(add func(string, templ.Component)) {
	list := ReplaysProps{Page: k.page(webhook.RoleStaff), First: true, Older: webhook.ReplayID(k.n)}
	for i := range k.n {
		list.Rows = append(list.Rows, k.replay(i))
	}
	add("replays", Replays(list))
	for i := range 4 {
		p := ReplayProps{Page: k.page(webhook.RoleStaff), Replay: k.replay(i), Rows: k.rows(), State: webhook.Failed, Pending: webhook.Count{N: i, More: i == 1}}
		for n := range k.n {
			p.Waiting = append(p.Waiting, k.paused(n))
		}
		if i == 3 {
			p.Rows, p.State, p.Older, p.Stopped = nil, "", webhook.DeliveryID(9), true
		}
		add(fmt.Sprintf("replay-%d", i), Replay(p))
	}
	form := ReplayFormProps{Page: k.page(webhook.RoleStaff), Off: []string{k.text("Accounting")}, Form: ReplayForm{
		Filter:      DeliveryFilter{State: "failed", Webhook: k.webhook(1).ID.String(), Type: "cancelled", Booking: k.text("B-1"), Period: Period{Since: k.text("2026-11-21")}},
		WebhookName: k.text("Accounting"), EventName: k.text("Cancelled"), Requests: k.text("60"), Per: "minute",
	}}
	add("replay-new-nothing", NewReplay(form))
	form.Plan = webhook.ReplayPlan{Deliveries: 312, Bookings: 290, Webhooks: 2, Older: 18, Departed: 4, Takes: 3 * time.Minute}
	add("replay-new", NewReplay(form))
	form.Form.Events, form.Form.Skip = true, true
	add("replay-new-events", NewReplay(form))
	form.Form = ReplayForm{Reconciliation: "rec_0000000000001", WebhookName: k.text("Accounting"), NoPeriod: true}
	add("replay-new-lacking", NewReplay(form))
	form.Form = ReplayForm{IDs: []string{"dlv_0000000000001"}, NoPeriod: true}
	add("replay-new-ticked", NewReplay(form))
	form.Problems = k.invalid("since", "rate_limit")
	add("replay-new-wrong", NewReplay(form))
}

func (k kind) reconciliation(lacking, unsent int) webhook.Reconciliation {
	return webhook.Reconciliation{
		ID: 9e16, Account: 3, File: k.text("held.csv"), Created: webhook.Change{By: k.text("marta@seatours.example"), At: now.Add(-time.Hour)},
		ReconcileRequest: webhook.ReconcileRequest{Webhook: 7, Since: now.AddDate(0, 0, -30)},
		Counts: webhook.ReconcileCounts{
			References: 1204, Repeated: 3 * k.n, Unreadable: k.n, Both: 1200, Lacking: lacking, Skipped: unsent, Unknown: 1,
			States: map[webhook.State]int{webhook.Delivered: lacking - 1, webhook.Failed: 1},
		},
	}
}

func (k kind) addReconciliations(add func(string, templ.Component)) {
	hooks := []Option{{"whk_0000000000001", cmp.Or(k.text("Accounting"), "W")}, {"whk_0000000000002", cmp.Or(k.text("Mailchimp"), "W")}}
	form := UploadForm{Webhook: hooks[0].Value, Period: Period{Since: "2026-10-22"}, Text: k.text("TC-1")}
	p := NewReconciliationProps{Page: k.page(webhook.RoleStaff), Form: form, Webhooks: hooks[:min(k.n, 2)]}
	for range k.n {
		p.Kept = append(p.Kept, KeptReconciliation{k.reconciliation(4, 2), k.text("Accounting")})
	}
	add("reconcile", NewReconciliation(p))
	p.Webhooks = hooks
	p.Problems = webhook.Invalid{"file": webhook.NewMessage("reconcile.xls"), "webhook_id": webhook.NewMessage("reconcile.webhook")}
	add("reconcile-wrong", NewReconciliation(p))

	c := ColumnsProps{
		Page: k.page(webhook.RoleStaff), Upload: webhook.Upload{ID: 9e16, Name: k.text("held.csv")}, Webhooks: hooks,
		Form: ColumnsForm{UploadForm: form, Column: 1, Header: true}, Columns: webhook.UploadColumns{All: []webhook.UploadColumn{{}}},
	}
	for i := range k.n {
		c.Columns.All = append(c.Columns.All, webhook.UploadColumn{First: k.text(fmt.Sprint("Column ", i)), Values: []string{k.text("TC-1"), k.text("TC-2")}, Known: i})
	}
	add("reconcile-columns", Columns(c))
	c.Problems = webhook.Invalid{"column": webhook.NewMessage("reconcile.no_references")}
	add("reconcile-columns-wrong", Columns(c))

	r := ReconciliationProps{Page: k.page(webhook.RoleStaff), Reconciliation: k.reconciliation(k.n, 0), WebhookName: k.text("Accounting"), Live: true, Off: true, First: true, After: k.text("TC-9")}
	for i := range k.n {
		row := k.row(i)
		r.Lacking = append(r.Lacking, LackingRow{webhook.LackingBooking{Booking: k.text(fmt.Sprint("TC-", i)), Delivery: row.Delivery}, row.EventName, row.EventShort})
	}
	if k.n > 0 {
		r.Lacking[0].Delivery = webhook.Delivery{}
	}
	add("reconciliation", Reconciliation(r))
	r.Lacking, r.List, r.Live, r.First = nil, UnsentList, false, false
	for i := range k.n {
		h := webhook.HeldReference{Reference: k.text(fmt.Sprint("TC-", i)), Outcome: webhook.HeldUnknown}
		if i > 0 {
			h.Outcome, h.Booking, h.Reason = webhook.HeldSkipped, h.Reference, webhook.ReasonTourExcluded
		}
		r.Unsent = append(r.Unsent, h)
	}
	add("reconciliation-unsent", Reconciliation(r))
}

func (k kind) addWizard(add func(string, templ.Component)) {
	add("wizard-1", WizardType(k.wizard()))
	add("wizard-1-wrong", WizardType(k.wizard("type", "concurrency", "rate_limit")))
	add("wizard-2", WizardName(NameProps{k.wizard(), k.examples(), nil, false, ""}))
	add("wizard-2-wrong", WizardName(NameProps{k.wizard("name", "url", "format", "basic_auth"), k.examples(), []string{k.text("TourCMS"), "LTD"}, true, k.text("A POST.") + "\nOur reading."}))
	conflict := k.wizard("basic_auth")
	conflict.Conflict = &DraftConflict{Change: webhook.Change{By: k.text("anna@example.com"), At: now}, Differences: k.differences()}
	add("wizard-2-conflict", WizardName(NameProps{Wizard: conflict, Examples: k.examples()}))
	add("wizard-3", WizardEvents(EventsStepProps{Wizard: k.wizard(), Catalogues: k.catalogues(), More: true}))
	add("wizard-3-wrong", WizardEvents(EventsStepProps{Wizard: k.wizard("events"), Catalogues: k.catalogues()}))
	add("wizard-3-many", WizardEvents(EventsStepProps{Wizard: k.wizard(), Catalogues: append(k.catalogues(), k.manyEvents()...)}))
	add("wizard-4", WizardChannels(PickProps{Wizard: k.wizard(), Items: k.items(k.n * 2)}))
	add("wizard-5", WizardTours(PickProps{Wizard: k.wizard("tours"), Items: k.items(k.n * 3), Paste: k.text("12, 15\n16")}))
	review := ReviewProps{Wizard: k.wizard(), Names: k.names(), Example: k.examples()[0].Text, Used: 3, Limit: 10, Support: webhook.Support(k.text("Anna"))}
	add("wizard-6", WizardReview(review))
	edit := review
	edit.Wizard.Draft = k.draft()
	edit.Wizard.Draft.Edits, edit.Wizard.Edited, edit.Wizard.Draft.Done = 9, k.text("Accounting"), webhook.Steps
	add("wizard-6-edit", WizardReview(edit))
	edit.Changed = &EditConflict{Change: webhook.Change{By: k.text("anna@example.com"), At: now}, Version: "1", Differences: k.differences()}
	edit.Stale = &StaleReview{Change: edit.Changed.Change, Steps: webhook.Steps}
	add("wizard-6-changed", WizardReview(edit))
	edit.Changed, edit.Stale = nil, nil
	edit.Used = 10
	edit.Wizard.Draft = k.draft()
	edit.Wizard.Problems = k.invalid("url", "events")
	add("wizard-6-full", WizardReview(edit))
}

func (k kind) addLog(add func(string, templ.Component)) {
	list := DeliveriesProps{
		Page: k.page(webhook.RoleStaff), Rows: k.rows(), Count: webhook.Count{N: 10000, More: true}, Older: 8e16, First: true,
		Webhooks: []Option{{"whk_1", cmp.Or(k.text("Accounting"), "whk_1")}}, Types: k.types(),
	}
	add("deliveries", Deliveries(list))
	list.First, list.Filter = false, DeliveryFilter{State: "failed", Webhook: "whk_1", Booking: k.text("12345"), Period: Period{Since: k.text("2026-11-01"), Until: "x"}}
	list.Problems = k.invalid("since", "until")
	add("deliveries-filtered", Deliveries(list))
	list.Stopped, list.Count.N = true, 57
	add("deliveries-searched", Deliveries(list))
	list.Rows = nil
	add("deliveries-searched-nothing", Deliveries(list))
	for i := range 8 {
		d := k.delivery(i)
		p := DeliveryProps{
			Page: k.page(webhook.RoleOperator), Delivery: d, EventName: k.text("New confirmed booking (web/API)"),
			Event: webhook.Event{ID: 77}, Platform: k.text("TourCMS"), Webhook: k.webhook(i % 2), Attempts: k.attempts(d),
		}
		if i == 4 {
			p.Webhook = nil
		}
		add(fmt.Sprintf("delivery-%d", i), Delivery(p))
	}
	for _, first := range []webhook.DeliveryID{0, 8e16} {
		p := DeliveryProps{Page: k.page(webhook.RoleOperator), Delivery: k.held(), Event: webhook.Event{ID: 77}, Webhook: k.paused(0), WaitsFor: first}
		add(fmt.Sprintf("delivery-held-%d", first), Delivery(p))
	}
	k.addEvents(add)
}

func (k kind) addEvents(add func(string, templ.Component)) {
	event := webhook.Event{
		ID: 77, ExternalID: k.text("tc-1234-confirmed"), Platform: "tourcms", Type: "new_confirmed_web", ChannelID: k.text("3930"), BookingID: k.text("12345"),
		TourIDs: []string{"12", "15", k.text("99")}, OccurredAt: now.Add(-time.Hour), ReceivedAt: now.Add(-59 * time.Minute), Data: []byte(`{"customer":"<b>O’Brien</b>","pax":[2,1]}`),
	}
	list := EventsProps{Page: k.page(webhook.RoleOperator), Types: k.types(), Count: webhook.Count{N: 2400}, Older: 77, First: true}
	page := EventProps{Page: k.page(webhook.RoleOperator), Event: event, Platform: k.text("TourCMS"), EventName: k.text("New confirmed booking (web/API)"), Names: k.names()}
	reasons := []webhook.Reason{"", webhook.ReasonDisabled, webhook.ReasonEvent, webhook.ReasonNoChannel, webhook.ReasonChannel, webhook.ReasonTourExcluded, webhook.ReasonPlatformOff}
	for i := range k.n {
		list.Rows = append(list.Rows, EventRow{Event: event, EventName: page.EventName, EventShort: k.text("Confirmed (web/API)"), ChannelName: k.text("Website"), Sent: i % 3, Skipped: i % 2})
		d := k.delivery(i)
		if i%3 > 0 {
			list.Rows[i].Deliveries = []webhook.Delivery{d}
		}
		row := DecisionRow{Webhook: webhook.WebhookID(9e16 + i), Name: k.webhook(i).Name, Deleted: i == 6, Reason: reasons[i%len(reasons)]}
		if row.Reason == webhook.Matched {
			row.Delivery = &d
		}
		page.Decisions = append(page.Decisions, row)
	}
	for _, first := range []webhook.DeliveryID{0, 8e16} {
		d := k.held()
		page.Decisions = append(page.Decisions, DecisionRow{Webhook: 9e16, Name: k.webhook(0).Name, Delivery: &d, WaitsFor: first})
	}
	if k.n == 0 {
		page.Event = webhook.Event{ID: 77, ReceivedAt: now}
	}
	add("events", Events(list))
	waits := page
	waits.Decisions, waits.Platform = nil, k.text("TourCMS")
	waits.Event.Inbound, waits.Event.Lookup, waits.Event.Note = true, true, k.message("TourCMS did not answer in time.")
	waits.Event.Wire = []byte(k.text("event=new_confirmed_web&account_id=4069&account_name=Sea%20%26%20Sun&channel_id=3930&booking_id=12345"))
	add("event-waits", Event(waits))
	list.Filter, list.First, list.Rows = EventFilter{Booking: k.text("12345")}, false, nil
	add("events-none", Events(list))
	add("event", Event(page))
}

// addBooking adds the pages of a booking and of the search.
func (k kind) addBooking(add func(string, templ.Component)) {
	p := BookingProps{Page: k.page(webhook.RoleStaff), Reference: k.text("12345"), Older: 77, First: true}
	for i := range k.n {
		step := k.step(i)
		step.Event.ID = webhook.EventID(77 + i)
		p.Events = append(p.Events, step)
	}
	add("booking", Booking(p))
	s := SearchProps{Page: k.page(webhook.RoleStaff), Typed: k.text("12345"), More: true}
	s.Page.Search = s.Typed
	for i := range k.n {
		e := EventRow{Event: k.step(i).Event, EventName: k.text("Cancelled"), Sent: i, Skipped: 1}
		e.Event.BookingID = k.text(fmt.Sprint("12345-", i))
		d := k.row(i)
		d.Delivery.ID += 7
		s.Hits = append(s.Hits, BookingHit(e, i == 0), DeliveryHit(d), WebhookHit(k.webhook(i), false))
	}
	if k.n > 0 {
		s.Hits = append(s.Hits, EventHit(EventRow{Event: k.step(0).Event, EventName: k.text("Cancelled")}))
	}
	add("search", Search(s))
	add("search-nothing", Search(SearchProps{Page: k.page(webhook.RoleStaff), Typed: k.text("12345")}))
	add("search-empty", Search(SearchProps{Page: k.page(webhook.RoleStaff)}))
}

func (k kind) settings() []platforms.Setting {
	return []platforms.Setting{
		{Key: "marketplace", Label: k.text("Marketplace id"), Hint: k.text("In TourCMS under API. 0 for a tour operator."), Default: "0"},
		{Key: "api_key", Label: k.text("API key"), Hint: k.text("Signs what Bookhook asks TourCMS."), Secret: true},
		{Key: "basic", Label: k.text("Basic authorization"), Secret: true},
	}
}

func (k kind) addPlatforms(add func(string, templ.Component)) {
	connect := []string{k.text("In TourCMS, open Configuration › System & Setup › Booking Webhooks."), k.text("Enter the address.")}
	used := &webhook.Connection{
		Platform: "tourcms", Enabled: true, Token: "jpxq7c5dnvt2k4h6m3wy5zab3q", OldToken: "t5vw2x7c5dnqk4h6m3wy5zabf2", OldUntil: now.Add(76 * time.Hour),
		ReceivedAt: now.Add(-3 * time.Minute), Settings: webhook.Settings{"api_key": "never to be seen", "marketplace": k.text("126")},
	}
	off := *used
	off.Platform, off.Enabled, off.OldToken, off.ReceivedAt = "ltd", false, "", time.Time{}
	p := PlatformsProps{Page: k.page(webhook.RoleOperator), Rejected: k.n, Platforms: []PlatformPanel{
		{Key: "tourcms", Name: k.text("TourCMS"), Connect: connect, About: []string{k.text("A GET webhook carries no tour.")}, Events: 16, Settings: k.settings(), Connection: used, Address: "https://bookhook.example.com" + used.Path()},
		{Key: "ltd", Name: k.text("London Theatre Direct"), Events: 2, Connection: &off, Address: "https://bookhook.example.com" + off.Path()},
		{Key: "wink", Name: k.text("Wink"), Connect: connect, Events: 129},
	}}
	if k.n == 0 {
		p.Platforms = nil
	}
	add("platforms", Platforms(p))
	for _, one := range p.Platforms {
		one.Lists, one.ListsReady = true, one.Key == "tourcms"
		add("platform-"+one.Key, Platform(PlatformProps{Page: p.Page, Platform: one}))
	}
	if k.n > 0 {
		wrong := p.Platforms[0]
		wrong.Typed = webhook.Settings{"marketplace": k.text("many")}
		wrong.Problems = k.invalid("marketplace", "api_key")
		add("platform-wrong", Platform(PlatformProps{Page: p.Page, Platform: wrong}))
		add("platform-staff", Platform(PlatformProps{Page: k.page(webhook.RoleStaff), Platform: p.Platforms[0]}))
	}
	p.Page = k.page(webhook.RoleStaff)
	add("platforms-staff", Platforms(p))
	rejected := RejectedProps{Page: p.Page, Count: k.n, First: k.n == 0}
	bodies := [][]byte{nil, []byte(k.text(`{"event":"ORDER_MADE"}`)), {0, 1, 2, 0xff, 0xfe}}
	for i := range k.n {
		rejected.Older = webhook.RejectedID(7e16 + i)
		rejected.Rows = append(rejected.Rows, RejectedRow{PlatformName: k.text("Prioticket"), RejectedRequest: webhook.RejectedRequest{
			ID: webhook.RejectedID(7e16 + i), Method: []string{"GET", "POST"}[min(i%3, 1)], Query: k.text("a=1"), ContentType: k.text("text/plain"), Body: bodies[i%3],
			Truncated: i%3 == 2, Status: 422, Why: k.message("There is no event ORDER_MADE."), Times: 1 + i%2*411, LastAt: now.Add(-4 * time.Minute),
		}})
	}
	add("rejected", RejectedRequests(rejected))
	rejected.First, rejected.Rows = false, nil
	add("rejected-older", RejectedRequests(rejected))
}

func (k kind) addSettings(add func(string, templ.Component)) {
	page := k.page(webhook.RoleAdmin)
	items := ItemsProps{Page: page, Kind: webhook.Channels, Rows: k.items(k.n), Count: k.n, Total: k.n, First: true}
	items.Sources = []ItemSource{{Key: "tourcms", Name: "TourCMS", Ready: true}, {Key: "other", Name: k.text("Other")}}
	add("channels", Items(items))
	items.Page.User.Role = webhook.RoleStaff
	add("channels-staff", Items(items))
	items.Page.User.Role = webhook.RoleOperator
	items.Kind, items.Query, items.First, items.After = webhook.Tours, k.text("walk"), false, k.text("12")
	items.Add = ItemForm{ID: k.text("12"), Problems: k.invalid("id", "name")}
	if k.n > 0 {
		items.Rename = ItemForm{ID: k.text("3931"), Name: "", Problems: k.invalid("name")}
	}
	items.Import = ImportForm{Text: k.text("12;Night Walk\n;;"), Lines: []LineProblem{{2, k.text(";;"), k.message("Enter the id.")}}}
	items.Refresh = k.message("TourCMS refused the key.")
	add("tours-wrong", Items(items))

	add("settings", Profile(ProfileProps{Page: page, Problems: k.invalid("current"), Sessions: 3}))
	staff := k.page(webhook.RoleStaff)
	add("settings-staff", Profile(ProfileProps{Page: staff}))
	add("settings-account", AccountSettings(AccountSettingsProps{Page: page, Name: k.text("Sea Tours"), Number: "4069", TimeZone: "Europe/Madrid", Zones: []string{"UTC", "Europe/London"}, Problems: k.invalid("number")}))
	people := PeopleProps{Page: page, Email: k.text("new@example.com"), Problems: k.invalid("email"), Added: NewUser{k.text("ben@example.com"), "correct horse battery"}}
	clients := ClientsProps{TokenURL: "https://bookhook.example.com/oauth2/token", Name: k.text("Portal"), Problems: k.invalid("name"), New: &NewClient{webhook.Client{ID: 5, Name: k.text("Portal")}, k.text("bhs4K9D0Q")}}
	tokens := TokensProps{Page: page, New: k.text("bh_4k9d0q"), BaseURL: "https://bookhook.example.com", Event: "cancelled", Problems: k.invalid("name")}
	activity := ActivityProps{Page: page, Older: 5}
	accounts := AccountsProps{Page: page, Form: AccountForm{Limit: k.text("x"), Problems: k.invalid("name")}, Added: people.Added}
	for i := range k.n {
		people.Users = append(people.Users, webhook.User{ID: webhook.UserID(7 + i), Email: k.text(fmt.Sprintf("person%d@example.com", i)), Role: webhook.Roles[i%3], CreatedAt: now.Add(-time.Duration(i) * 90 * time.Hour)})
		tokens.Tokens = append(tokens.Tokens, webhook.Token{ID: webhook.TokenID(i), Name: k.text("TourCMS bridge"), CreatedAt: now.Add(-90 * time.Hour), UsedAt: now.Add(-time.Duration(i) * time.Hour)})
		clients.Clients = append(clients.Clients, webhook.Client{ID: webhook.ClientID(i), Name: k.text("Portal"), CreatedAt: now.Add(-90 * time.Hour), UsedAt: now.Add(-time.Duration(i) * time.Hour)})
		activity.Entries = append(activity.Entries, webhook.AuditEntry{Change: webhook.Change{By: k.text("marta@example.com"), At: now.Add(-time.Duration(i) * time.Hour)}, Action: "webhook.off", Args: []string{k.text("Accounting")}})
		accounts.Rows = append(accounts.Rows, AccountRow{webhook.Account{ID: webhook.AccountID(i + 1), Number: int64(4069 + i), Name: k.text("Sea Tours"), WebhookLimit: 10}, i, 2})
	}
	add("people", People(people))
	k.addMail(add, people)
	k.addNotices(add)
	tokens.Clients = ClientsProps{TokenURL: clients.TokenURL, Clients: clients.Clients}
	add("tokens", Tokens(tokens))
	add("tokens-client", Tokens(TokensProps{Page: page, Tokens: tokens.Tokens, Clients: clients}))
	add("activity", Activity(activity))
	add("settings-account-staff", AccountSettings(AccountSettingsProps{Page: staff, Name: k.text("Sea Tours"), Number: "4069", TimeZone: "America/New_York"}))
	add("people-staff", People(PeopleProps{Page: staff, Users: people.Users}))
	add("tokens-staff", Tokens(TokensProps{Page: staff, Tokens: tokens.Tokens, Clients: ClientsProps{Clients: clients.Clients}}))
	add("activity-staff", Activity(ActivityProps{Page: staff, Entries: activity.Entries}))
	if k.n > 0 {
		accounts.Form = AccountForm{Account: 1, Limit: k.text("x"), Problems: k.invalid("limit")}
	}
	add("accounts", Accounts(accounts))
	nobody := accounts
	nobody.Page.Account, nobody.Form = webhook.Account{}, AccountForm{Problems: k.invalid("name", "number")}
	add("accounts-new", Accounts(nobody))
}

func (k kind) addNotices(add func(string, templ.Component)) {
	p := NoticesProps{Page: k.page(webhook.RoleAdmin), Kinds: append(slices.Clone(incidents.AccountKinds), incidents.InstanceKinds...), Mail: true, After: time.Hour, Waiting: k.text("50"), Names: map[string]string{"tourcms": "TourCMS"}}
	p.Settings = incidents.Settings{Mail: true, Muted: []incidents.Kind{incidents.Backup}, Quiet: incidents.Hours{From: 22, Until: 7}}
	for i := range k.n {
		kind := p.Kinds[i%len(p.Kinds)]
		incident := incidents.Incident{Key: incidents.Key{Kind: kind}, Stage: incidents.Stage(1 + i%2*2), Details: incidents.Details{Name: k.text("Accounting"), Ends: now.Add(time.Hour)}, OpenedAt: now.Add(-time.Duration(i) * time.Hour)}
		switch kind {
		case incidents.Outage, incidents.Certificate:
			incident.Subject = k.webhook(i).ID.String()
		case incidents.Rejected, incidents.Silence:
			incident.Subject = []string{"tourcms", "tourcms/" + k.text("3930")}[i%2]
		}
		if i%3 == 2 {
			incident.ClosedAt, incident.Details.Outcome = now, incidents.Deleted
		}
		p.Incidents = append(p.Incidents, incident)
	}
	add("notices", Notices(p))
	p.Page, p.Kinds, p.Settings, p.Mail = k.page(webhook.RoleStaff), incidents.AccountKinds, incidents.Settings{}, false
	add("notices-staff", Notices(p))
	p.Page, p.Problems = k.page(webhook.RoleOperator), k.invalid("after", "waiting")
	add("notices-wrong", Notices(p))
	stop := StopProps{Token: "t", Email: k.text("marta@example.com")}
	add("stop", StopNotices(stop))
	stop.Stopped = true
	add("stop-done", StopNotices(stop))
	k.addFallbacks(add)
}

// addFallbacks adds the settings of a webhook with each state of its fallback, and the pages
// to which its messages lead.
func (k kind) addFallbacks(add func(string, templ.Component)) {
	f := fallback.Fallback{Webhook: 1, Address: k.text("office@example.com"), SetBy: k.text("marta@example.com"), SetAt: now, ExpiresAt: now.Add(time.Hour)}
	states := map[string]func(f *fallback.Fallback){
		"waiting":   func(*fallback.Fallback) {},
		"expired":   func(f *fallback.Fallback) { f.ExpiresAt = now },
		"not-sent":  func(f *fallback.Fallback) { f.LinkState, f.Problem = webhook.MailFailed, k.message("No such user.") },
		"confirmed": func(f *fallback.Fallback) { f.ConfirmedAt, f.Guests = now, true },
		"listed":    func(f *fallback.Fallback) { f.ConfirmedAt, f.QueuedAt = now.Add(-week), now },
		"stopped":   func(f *fallback.Fallback) { f.StoppedAt = now },
	}
	for name, change := range states {
		for _, role := range []webhook.Role{webhook.RoleOperator, webhook.RoleStaff} {
			p := WebhookProps{Page: k.page(role), Webhook: k.webhook(0), Stats: k.stats(stats.Day), Fallback: FallbackForm{Mail: true, Current: f}}
			change(&p.Fallback.Current)
			p.Fallback.Gone = name == "confirmed"
			add("webhook-fallback-"+name+"-"+string(role), WebhookSettings(p))
		}
	}
	for _, done := range []bool{false, true} {
		props := FallbackLinkProps{Changed: !done, Token: "t", Fallback: f, Webhook: k.text("Accounting"), Account: k.text("Ada Tours"), Done: done}
		props.Fallback.Guests = done
		add(fmt.Sprintf("fallback-confirm-%t", done), ConfirmFallback(props))
		add(fmt.Sprintf("fallback-stop-%t", done), StopFallback(props))
	}
}

func (k kind) addMail(add func(string, templ.Component), people PeopleProps) {
	states := []webhook.MailState{webhook.MailWaiting, webhook.MailSent, webhook.MailFailed, ""}
	mail := MailProps{Page: k.page(webhook.RoleAdmin), Server: k.text("mail.example.com:587"), From: k.text("bookhook@example.com"), Problem: k.message("The mail server refused the sign-in."), Older: 5, First: true}
	for i := range k.n {
		problem := webhook.Message{}
		if i > 1 {
			problem = webhook.NewMessage("mail.recipient", "mail.example.com:587", k.text("tim@example.com"), k.text("550 no such user"))
		}
		mail.Mails = append(mail.Mails, webhook.Mail{To: k.text("tim@example.com"), Kind: webhook.MailInvitation, State: states[i%3], Attempts: i, NextAt: now.Add(time.Hour), Problem: problem, CreatedAt: now})
		people.Invitations = append(people.Invitations, webhook.Invitation{
			ID: webhook.InvitationID(i + 1), Email: k.text("tim@example.com"), Role: webhook.RoleStaff, State: states[i%4], Problem: problem, ExpiresAt: now.Add(time.Duration(i-1) * time.Hour),
		})
	}
	add("mail", Mail(mail))
	mail.Page, mail.First = k.page(webhook.RoleOperator), false
	add("mail-operator", Mail(mail))
	for _, role := range []webhook.Role{webhook.RoleAdmin, webhook.RoleOperator} {
		add("mail-none-"+string(role), Mail(MailProps{Page: k.page(role), First: true}))
	}
	people.Mail = true
	add("people-invited", People(people))
	people.Page, people.Problems, people.Added = k.page(webhook.RoleStaff), nil, NewUser{}
	add("people-invited-staff", People(people))
}
