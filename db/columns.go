package db

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"bookhook/webhook"
)

// How values are stored in columns and read from them.

// toMillis writes a time as it is stored; the zero time is 0.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis reads a stored time.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// roundMillis returns a time as it is after storing and reading it: in
// milliseconds, UTC.
func roundMillis(t time.Time) time.Time { return fromMillis(toMillis(t)) }

// timeScanner scans a stored time.
type timeScanner struct{ to *time.Time }

// Scan reads a column of milliseconds.
func (s timeScanner) Scan(value any) error {
	v, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", value)
	}
	*s.to = fromMillis(v)
	return nil
}

// boolInt is a boolean as it is stored.
func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// jsonScanner scans a column of JSON.
type jsonScanner struct{ to any }

// Scan reads a column of text, or of JSON; NULL leaves what was there.
func (j jsonScanner) Scan(value any) error {
	switch v := value.(type) {
	case string:
		return json.Unmarshal([]byte(v), j.to)
	case []byte:
		return json.Unmarshal(v, j.to)
	case nil:
		return nil
	}
	return fmt.Errorf("JSON is stored as %T", value)
}

// toJSON writes a column of JSON; the value must be one that always marshals.
func toJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// messageScanner scans a column of a message; empty is none.
type messageScanner struct{ to *webhook.Message }

// Scan reads a column of text.
func (s messageScanner) Scan(value any) error {
	if value == "" {
		*s.to = webhook.Message{}
		return nil
	}
	return jsonScanner{s.to}.Scan(value)
}

// messageJSON writes a column of a message.
func messageJSON(m webhook.Message) string {
	if m.IsZero() {
		return ""
	}
	return toJSON(m)
}

// unmatched is the column of the decisions of an event that waits for a lookup.
const unmatched = ""

// decisionsScanner scans the decisions of an event, and whether it waits for them.
type decisionsScanner struct {
	to      *[]webhook.Decision
	pending *bool
}

// Scan reads a column of text.
func (d decisionsScanner) Scan(value any) error {
	*d.pending = value == unmatched
	if *d.pending {
		return nil
	}
	return jsonScanner{d.to}.Scan(value)
}

// The JSON of every event and every attempt is written here without reflection,
// which saves a fiftieth of the CPU time. encoding/json reads it.

func decisionsJSON(decisions []webhook.Decision) string {
	text := append(make([]byte, 0, 2+len(decisions)*80), '[')
	for i, d := range decisions {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, `{"webhook":`...)
		text = webhook.AppendJSON(text, d.Webhook.String())
		if d.Delivery != 0 {
			text = webhook.AppendJSON(append(text, `,"delivery":`...), d.Delivery.String())
		}
		if d.Reason != "" {
			text = webhook.AppendJSON(append(text, `,"reason":`...), string(d.Reason))
		}
		text = append(text, '}')
	}
	return string(append(text, ']'))
}

// decisionTo is what the JSON of decisions has if there is a delivery to a webhook.
func decisionTo(w webhook.WebhookID) string {
	return strings.TrimSuffix(decisionsJSON([]webhook.Decision{{Webhook: w, Delivery: 1}}), webhook.DeliveryID(1).String()+`"}]`)[1:]
}

func headersJSON(h http.Header) string {
	if h == nil {
		return `null`
	}
	names := make([]string, 0, 32)
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	text := append(make([]byte, 0, 1024), '{')
	for i, name := range names {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(webhook.AppendJSON(text, name), `:[`...)
		for j, value := range h[name] {
			if j > 0 {
				text = append(text, ',')
			}
			text = webhook.AppendJSON(text, value)
		}
		text = append(text, ']')
	}
	return string(append(text, '}'))
}
