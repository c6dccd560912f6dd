package pages

import (
	"slices"
	"strings"
	"time"

	"bookhook/views"
	"bookhook/webhook"
)

// filterReader reads the filter of a list; a part that is not valid is a problem and
// is ignored.
type filterReader struct {
	get      func(name string) string // a parameter; "" if it is missing
	known    func(key string) bool    // reports whether there is an event with this key
	loc      *time.Location           // of the account
	now      time.Time
	problems webhook.Invalid
}

func (pg *Pages) newFilterReader(v *visitor, get func(name string) string) *filterReader {
	return &filterReader{get: get, known: pg.Platforms.KnownKey, loc: v.Account.Location(), now: time.Now(), problems: webhook.Invalid{}}
}

// deliveryFilter is the filter of the log as typed and as understood.
type deliveryFilter struct {
	webhook.DeliveryFilter
	typed    views.DeliveryFilter
	problems webhook.Invalid
}

func (r *filterReader) deliveries(h hooks) deliveryFilter {
	f := deliveryFilter{problems: r.problems, typed: views.DeliveryFilter{
		State: r.get("state"), Webhook: r.get("webhook_id"), Type: r.get("type"), Booking: strings.TrimSpace(r.get("booking_id")), Period: r.typedPeriod(),
	}}
	f.State, f.Webhook, f.Type = r.state(), r.webhook(h), r.eventKey()
	f.Booking = r.ref("booking_id")
	f.Since, f.Until = r.period(f.typed.Period)
	return f
}

// eventFilter is the filter of the events as typed and as understood.
type eventFilter struct {
	webhook.EventFilter
	typed    views.EventFilter
	problems webhook.Invalid
}

func (r *filterReader) events() eventFilter {
	f := eventFilter{problems: r.problems, typed: views.EventFilter{
		Booking: strings.TrimSpace(r.get("booking_id")), Type: r.get("type"), Channel: strings.TrimSpace(r.get("channel_id")),
		Tour: strings.TrimSpace(r.get("tour_id")), Sent: r.get("sent"), Period: r.typedPeriod(),
	}}
	f.Booking, f.Type, f.Channel, f.Tour, f.Sent = r.ref("booking_id"), r.eventKey(), r.ref("channel_id"), r.ref("tour_id"), r.sent()
	f.Since, f.Until = r.period(f.typed.Period)
	return f
}

func (r *filterReader) state() webhook.State {
	state := webhook.State(r.get("state"))
	if state != "" && !slices.Contains(webhook.States, state) {
		r.problems.Add("state", "filter.state")
		return ""
	}
	return state
}

func (r *filterReader) webhook(h hooks) webhook.WebhookID {
	if r.get("webhook_id") == "" {
		return 0
	}
	id, err := webhook.ParseID[webhook.WebhookID](r.get("webhook_id"))
	if _, ours := h.names[id]; err != nil || !ours {
		r.problems.Add("webhook_id", "filter.webhook")
		return 0
	}
	return id
}

func (r *filterReader) eventKey() string {
	key := r.get("type")
	if key != "" && !r.known(key) {
		r.problems.Add("type", "filter.event")
		return ""
	}
	return key
}

// ref reads an id of the booking system.
func (r *filterReader) ref(name string) string {
	value := strings.TrimSpace(r.get(name))
	if problem := webhook.CheckRef(value); !problem.IsZero() {
		r.problems.AddMessage(name, problem)
		return ""
	}
	return value
}

func (r *filterReader) sent() webhook.Sent {
	sent := webhook.Sent(r.get("sent"))
	switch sent {
	case "", webhook.SentToSome, webhook.SentToNobody:
		return sent
	}
	r.problems.Add("sent", "filter.sent")
	return ""
}

// typedPeriod returns the period as typed: times count if no period with a name is
// chosen.
func (r *filterReader) typedPeriod() views.Period {
	p := views.Period{Named: r.get("period"), Since: r.get("since"), Until: r.get("until")}
	switch {
	case p.Named == views.PeriodAny:
		return views.Period{}
	case p.Named != "" && p.Named != views.PeriodCustom:
		p.Since, p.Until = "", ""
	case p.Since != "" || p.Until != "":
		p.Named = ""
	}
	return p
}

// period returns when a period begins and ends; zero times leave it open.
func (r *filterReader) period(p views.Period) (since, until time.Time) {
	switch p.Named {
	case "", views.PeriodCustom:
	case views.PeriodToday:
		year, month, day := r.now.In(r.loc).Date()
		return webhook.StartOfDay(year, month, day, r.loc), time.Time{}
	case views.PeriodHour:
		return r.now.Add(-time.Hour), time.Time{}
	case views.PeriodWeek:
		return r.now.AddDate(0, 0, -7), time.Time{}
	default:
		r.problems.Add("period", "filter.period")
	}
	since, _ = r.moment("since", p.Since)
	_, until = r.moment("until", p.Until)
	if !until.IsZero() && !until.After(since) {
		r.problems.Add("until", "filter.until")
		until = time.Time{}
	}
	return since, until
}

func (r *filterReader) moment(field, text string) (start, end time.Time) {
	start, end, err := readMoment(text, r.loc)
	if err != nil {
		r.problems.Add(field, "filter.moment")
	}
	return start, end
}

// readMoment parses a day or a minute, and returns when it begins and ends in the
// account's time zone; an empty one is zero times.
func readMoment(text string, loc *time.Location) (start, end time.Time, err error) {
	minute, err := time.Parse(views.MinuteLayout, text)
	if err != nil {
		return readDay(text, loc)
	}
	year, month, day := minute.Date()
	start = time.Date(year, month, day, minute.Hour(), minute.Minute(), 0, 0, loc)
	end = start
	for _, other := range []time.Time{start.Add(-time.Hour), start.Add(time.Hour)} { // where clocks are put back, a minute comes twice
		if other.Format(views.MinuteLayout) == text {
			start, end = minTime(start, other), maxTime(end, other)
		}
	}
	return start, end.Add(time.Minute), nil
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
