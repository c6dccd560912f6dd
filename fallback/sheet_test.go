package fallback

import (
	"bytes"
	"encoding/csv"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func read(t *testing.T, file []byte) [][]string {
	t.Helper()
	text, found := bytes.CutPrefix(file, []byte("\uFEFF"))
	if !found {
		t.Error("Excel would not read it as UTF-8")
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestFile(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	rows := []Row{
		{
			Reference: "B-1", Event: "New booking", Channel: "Website", Happened: now, State: "Waiting", At: now.Add(time.Hour), Link: "https://x/1",
			Tours: []Tour{{Name: "Night Walk", Starts: "2026-12-01 18:00", Ends: "2026-12-01 20:00", Quantity: 2}, {Name: "Museum", Starts: "2026-12-01 18:00"}},
			Guest: Guest{"Ada, the \"guest\"", "ada@example.com", "+372 5"},
		},
		{Reference: "=1+1", Event: "Cancelled", State: strings.Repeat("ü", 600)},
	}
	file, n := Sheet{Zone: berlin}.File(rows)
	got := read(t, file)
	want := [][]string{
		{"Reference", "Event", "Tours", "Starts", "Ends", "Channel", "Happened", "State", "Next attempt", "Link"},
		{"B-1", "New booking", "2 × Night Walk | Museum", "2026-12-01 18:00", "2026-12-01 20:00", "Website", "2026-11-29 13:00:00", "Waiting", "2026-11-29 14:00:00", "https://x/1"},
		{"'=1+1", "Cancelled", "", "", "", "", "", strings.Repeat("ü", maxCell) + "…", "", ""},
	}
	if n != 2 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %d rows:\n%q\nwant\n%q", n, got, want)
	}
	if strings.Contains(string(file), "Ada") {
		t.Error("a guest's name is in a file without guests")
	}
	file, _ = Sheet{Zone: berlin, Guests: true, Last: true}.File(rows)
	got = read(t, file)
	if head := strings.Join(got[0][8:], ","); head != "Delivered,Link,Guest,Guest e-mail,Guest phone" {
		t.Errorf("got the columns %s", head)
	}
	if guest := strings.Join(got[1][10:], "|"); guest != `Ada, the "guest"|ada@example.com|'+372 5` {
		t.Errorf("got the guest %s", guest)
	}
}

// TestBounds: neither many rows nor long ones make a file that mail servers refuse.
func TestBounds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("界", maxCell)
	for name, row := range map[string]Row{"many": {Reference: "B"}, "long": {Reference: long, Event: long, Channel: long, State: long, Link: long}} {
		file, n := Sheet{Zone: time.UTC}.File(make1100(row))
		if got := len(read(t, file)) - 1; got != n || n > MaxRows || len(file) > maxBytes || n == 0 {
			t.Errorf("%s: %d rows, said %d, %d bytes", name, got, n, len(file))
		}
		if name == "many" && n != MaxRows {
			t.Errorf("got %d rows, want %d", n, MaxRows)
		}
	}
}

func make1100(row Row) []Row {
	rows := make([]Row, MaxRows+100)
	for i := range rows {
		rows[i] = row
	}
	return rows
}

func TestLines(t *testing.T) {
	t.Parallel()
	rows := []Row{
		{Reference: "B-1", Event: "New booking", Tours: []Tour{{Name: "Night Walk", Starts: "18:00", Quantity: 1}, {Name: "Museum"}}, Guest: Guest{Name: "Ada"}},
		{Reference: "B-2", Event: "Cancelled"},
		{Reference: "B-1", Event: "Cancelled"},
	}
	if got := rows[0].Line() + "|" + rows[1].Line(); got != "B-1 · New booking · 1 × Night Walk, 18:00 · Museum|B-2 · Cancelled" {
		t.Errorf("got %s", got)
	}
	if got := Bookings(rows); got != 2 {
		t.Errorf("got %d bookings, want 2", got)
	}
}

// TestManyTours: of a booking with thousands of tours some are kept, and the number of the
// others is not cut off.
func TestManyTours(t *testing.T) {
	t.Parallel()
	row := Row{Reference: "B-1", Event: "New booking"}
	var tours []Tour
	for i := range 9800 {
		tours = append(tours, Tour{Name: strings.Repeat("Walk ", 10) + strconv.Itoa(i), Starts: strconv.Itoa(i)})
	}
	row.AddTours(append(tours, tours...))
	if len(row.Tours) != MaxTours || row.More != 9780 {
		t.Fatalf("got %d tours and %d more, want %d and 9780", len(row.Tours), row.More, MaxTours)
	}
	file, _ := Sheet{Zone: time.UTC}.File([]Row{row})
	cells := read(t, file)[1]
	for _, got := range []string{row.Line(), cells[2], cells[3]} {
		if !strings.HasSuffix(got, " and 9780 more") && !strings.HasSuffix(got, " and those of 9780 more") || utf8.RuneCountInString(got) > maxCell {
			t.Errorf("got %q", got)
		}
	}
	if cells[4] != "" {
		t.Errorf("got the ends %q, want none", cells[4])
	}
}
