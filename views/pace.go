package views

import (
	"time"

	"bookhook/webhook"
)

// paceText says how fast and in which order a webhook is called: "Up to 8
// requests at once, at most 60 per minute; events of one booking one after
// another".
func paceText(atOnce int, r webhook.Rate, ordered bool) string {
	text := "One request at a time"
	if atOnce != 1 {
		text = "Up to " + count(atOnce, false, "request", "requests") + " at once"
	}
	if r.Requests > 0 {
		text += ", at most " + number(r.Requests) + " per " + string(r.Per)
	}
	if ordered {
		return text + "; events of one booking one after another"
	}
	return text + "; events of one booking in any order"
}

// backlogText is what waits for a webhook, which is not nothing.
func backlogText(b webhook.Backlog, now time.Time) string {
	return countWaiting(b.Waiting, "delivery waits", "deliveries wait") + oldestText(b, now)
}

// backlogShort is backlogText for a row of a list.
func backlogShort(b webhook.Backlog, now time.Time) string {
	return countWaiting(b.Waiting, "waits", "wait") + oldestText(b, now)
}

func oldestText(b webhook.Backlog, now time.Time) string {
	switch {
	case b.Oldest.IsZero():
		return ""
	case b.Waiting == 1:
		return ", for " + span(now.Sub(b.Oldest))
	}
	return ", the oldest for " + span(now.Sub(b.Oldest))
}

// countWaiting counts deliveries of which no more than webhook.CountCap + 1
// were counted.
func countWaiting(n int, one, many string) string {
	return count(min(n, webhook.CountCap), n > webhook.CountCap, one, many)
}
