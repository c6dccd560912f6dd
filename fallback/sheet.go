package fallback

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"bookhook/spreadsheet"
	"bookhook/webhook"
)

// Bounds of the file of a message.
const (
	MaxRows  = 1000
	maxBytes = 2 << 20
	maxCell  = 500 // characters
)

// Row is one event of a booking, in the words that people read.
type Row struct {
	Reference string
	Event     string
	Tours     []Tour
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
	line := r.Reference + " · " + r.Event
	for _, t := range r.Tours {
		line += " · " + t.text()
		if t.Starts != "" {
			line += ", " + t.Starts
		}
	}
	return webhook.Truncate(strings.Join(strings.Fields(line), " "), maxCell)
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
	cells := []string{
		r.Reference, r.Event, joined(r.Tours, Tour.text), joined(r.Tours, func(t Tour) string { return t.Starts }), joined(r.Tours, func(t Tour) string { return t.Ends }),
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

// joined is what the tours of a booking have, each once; most bookings have one.
func joined(tours []Tour, of func(Tour) string) string {
	var all []string
	for _, t := range tours {
		if text := of(t); text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, " | ")
}

func (s Sheet) time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(s.Zone).Format(time.DateTime)
}
