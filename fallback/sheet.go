package fallback

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bookhook/spreadsheet"
	"bookhook/webhook"
)

// Bounds of the file of a message.
const (
	MaxRows  = 1000
	MaxTours = 20 // of a row
	maxBytes = 2 << 20
	maxCell  = 500 // characters
)

// Row is one event of a booking, in the words that people read.
type Row struct {
	Reference string
	Event     string
	Tours     []Tour
	More      int // tours that are left out of Tours
	Channel   string
	Happened  time.Time
	State     string
	At        time.Time // of the next attempt; in a last message, when it was delivered; zero: never
	Link      string    // of its page
	Guest     Guest
}

// Tour is what was booked. Times are as the platform writes them.
type Tour struct {
	Name         string
	Starts, Ends string
	Quantity     int
}

// Guest is who booked.
type Guest struct{ Name, Email, Phone string }

// text returns the tour with how many places were booked.
func (t Tour) text() string {
	if t.Quantity > 0 {
		return strconv.Itoa(t.Quantity) + " × " + t.Name
	}
	return t.Name
}

// Line returns the row as a line of a message. It names no guest.
func (r Row) Line() string {
	parts := []string{r.Reference, r.Event}
	for _, t := range r.Tours {
		part := t.text()
		if t.Starts != "" {
			part += ", " + t.Starts
		}
		parts = append(parts, part)
	}
	return ending(strings.Join(strings.Fields(strings.Join(parts, " · ")), " "), r.more(" · and %d more"))
}

// AddTours adds what was booked: MaxTours of it, and of the others only how many there are.
func (r *Row) AddTours(tours []Tour) {
	seen := map[Tour]bool{}
	for _, t := range tours {
		switch {
		case len(r.Tours) < MaxTours:
			r.Tours = append(r.Tours, t)
		case !seen[t]:
			r.More++
		}
		seen[t] = true
	}
}

// more returns a text with the number of tours that are left out, "" if there are none.
func (r Row) more(format string) string {
	if r.More == 0 {
		return ""
	}
	return fmt.Sprintf(format, r.More)
}

// ending returns a text with an end that is there even if the text must be truncated.
func ending(text, end string) string {
	if end == "" {
		return webhook.Truncate(text, maxCell)
	}
	return webhook.Truncate(text, maxCell-utf8.RuneCountInString("…"+end)) + end
}

// Bookings counts the different bookings of rows.
func Bookings(rows []Row) int {
	seen := map[string]bool{}
	for _, r := range rows {
		seen[r.Reference] = true
	}
	return len(seen)
}

// Sheet is how the rows of a message become a file.
type Sheet struct {
	Guests bool           // with guests' names and contact data
	Last   bool           // it is that of a last message
	Zone   *time.Location // of the times
}

// File returns the rows as a file for a spreadsheet, and how many of them it has: it ends
// before it becomes too large.
func (s Sheet) File(rows []Row) (file []byte, written int) {
	var all, one bytes.Buffer
	all.WriteString(spreadsheet.BOM)
	spreadsheet.NewWriter(&all).Write(s.columns())
	lines := spreadsheet.NewWriter(&one)
	for _, r := range rows {
		one.Reset()
		lines.Write(s.cells(r))
		if written == MaxRows || all.Len()+one.Len() > maxBytes {
			break
		}
		all.Write(one.Bytes())
		written++
	}
	return all.Bytes(), written
}

func (s Sheet) columns() []string {
	columns := []string{"Reference", "Event", "Tours", "Starts", "Ends", "Channel", "Happened", "State", "Next attempt", "Link"}
	if s.Last {
		columns[8] = "Delivered"
	}
	if s.Guests {
		columns = append(columns, "Guest", "Guest e-mail", "Guest phone")
	}
	return columns
}

func (s Sheet) cells(r Row) []string {
	times := r.more(" | and those of %d more")
	cells := []string{
		r.Reference, r.Event, joined(r.Tours, Tour.text, r.more(" | and %d more")),
		joined(r.Tours, func(t Tour) string { return t.Starts }, times), joined(r.Tours, func(t Tour) string { return t.Ends }, times),
		r.Channel, s.time(r.Happened), r.State, s.time(r.At), r.Link,
	}
	if s.Guests {
		cells = append(cells, r.Guest.Name, r.Guest.Email, r.Guest.Phone)
	}
	for i := range cells {
		cells[i] = webhook.Truncate(cells[i], maxCell)
	}
	return cells
}

// joined is what the tours of a booking have, each once; most bookings have one. The end
// follows it, if there is anything.
func joined(tours []Tour, of func(Tour) string, end string) string {
	var all []string
	seen := map[string]bool{}
	for _, t := range tours {
		if text := of(t); text != "" && !seen[text] {
			seen[text] = true
			all = append(all, text)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return ending(strings.Join(all, " | "), end)
}

func (s Sheet) time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(s.Zone).Format(time.DateTime)
}
