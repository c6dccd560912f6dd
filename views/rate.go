package views

import (
	"strings"
	"time"

	"bookhook/webhook"
)

// rateText says how fast and in which order a webhook is called: "Up to 8
// requests at once, at most 60 per minute; events of one booking in order".
func rateText(concurrency int, r webhook.Rate, ordered bool) string {
	text := "One request at a time"
	if concurrency != 1 {
		text = "Up to " + count(concurrency, false, "request", "requests") + " at once"
	}
	if r.Requests > 0 {
		text += ", at most " + number(r.Requests) + " per " + string(r.Per)
	}
	if ordered {
		return text + "; events of one booking in order"
	}
	return text + "; events of one booking in any order"
}

// backlogText describes the backlog of a webhook, which must not be empty.
func backlogText(b webhook.Backlog, now time.Time) string {
	return countWaiting(b.Waiting, "delivery waiting", "deliveries waiting") + oldestText(b, now)
}

// backlogShort is backlogText for a row of a list.
func backlogShort(b webhook.Backlog, now time.Time) string {
	return countWaiting(b.Waiting, "waiting", "waiting") + oldestText(b, now)
}

func oldestText(b webhook.Backlog, now time.Time) string {
	switch {
	case b.Oldest.IsZero():
		return ""
	case b.Waiting == 1:
		return " for " + span(now.Sub(b.Oldest))
	}
	return ", the oldest for " + span(now.Sub(b.Oldest))
}

// countWaiting writes a number of deliveries that was counted up to
// webhook.CountCap + 1.
func countWaiting(n int, one, many string) string {
	return strings.TrimSpace(count(min(n, webhook.CountCap), n > webhook.CountCap, one, many))
}
