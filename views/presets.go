package views

import (
	"slices"
	"time"

	"bookhook/webhook"
)

// Period is the period of a filter as typed: a named one, or since and until, each a
// day or a minute in the account's time zone, both included.
type Period struct{ Named, Since, Until string }

// The named periods, which end now, the choice of none, and the one that is not typed yet.
const (
	PeriodAny    = "any"
	PeriodToday  = "today"
	PeriodHour   = "1h"
	PeriodWeek   = "7d"
	PeriodCustom = "custom"
)

var namedPeriods = []Option{{PeriodToday, "Today"}, {PeriodHour, "Last hour"}, {PeriodWeek, "Last 7 days"}}

var periodOptions = slices.Concat([]Option{{PeriodAny, "Any"}}, namedPeriods, []Option{{PeriodCustom, "Custom"}})

// chosen is the option of the period; "" if it is any.
func (p Period) chosen() string {
	if p.Since != "" || p.Until != "" {
		return PeriodCustom
	}
	return p.Named
}

// filtering is the period without the choice of one that is not typed yet.
func (p Period) filtering() Period {
	if p.Named == PeriodCustom {
		p.Named = ""
	}
	return p
}

// MinuteLayout is how a minute is typed, and what browsers send.
const MinuteLayout = "2006-01-02T15:04"

// momentValue is a day or a minute as its input shows it. The input has a minute: that in
// which the day begins, or ends.
func momentValue(typed, ofDay string) string {
	if _, err := time.Parse(time.DateOnly, typed); err == nil {
		return typed + "T" + ofDay
	}
	return typed
}

// momentKind is the type of an input for a minute: only a text input keeps a value
// that is none.
func momentKind(typed string) string {
	if _, err := time.Parse(MinuteLayout, momentValue(typed, "00:00")); err != nil && typed != "" {
		return "text"
	}
	return "datetime-local"
}

// preset is a link that sets one part of a filter, or, if it is on, takes it back.
type preset struct {
	name, href string
	on         bool
}

// periodPresets are the presets of the named periods; href returns the address of the
// list with another period.
func periodPresets(p Period, href func(Period) string) []preset {
	var all []preset
	for _, o := range namedPeriods {
		next := Period{Named: o.Value}
		if p.Named == o.Value {
			next = Period{}
		}
		all = append(all, preset{o.Name, href(next), p.Named == o.Value})
	}
	return all
}

func (f DeliveryFilter) presets() []preset {
	all := periodPresets(f.Period, func(p Period) string {
		with := f
		with.Period = p
		return with.href("/deliveries")
	})
	for _, state := range []webhook.State{webhook.Failed, webhook.Pending} {
		with, on := f, f.State == string(state)
		if with.State = string(state); on {
			with.State = ""
		}
		all = append(all, preset{StateName(state), with.href("/deliveries"), on})
	}
	return all
}

func (f EventFilter) presets() []preset {
	all := periodPresets(f.Period, func(p Period) string {
		with := f
		with.Period = p
		return with.href()
	})
	with, on := f, f.Sent == string(webhook.SentToNobody)
	if with.Sent = string(webhook.SentToNobody); on {
		with.Sent = ""
	}
	return append(all, preset{"Sent to nobody", with.href(), on})
}
