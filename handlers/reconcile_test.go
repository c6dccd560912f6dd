package handlers_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

// upload stores a list.
func (s *site) upload(account webhook.AccountID, text string) webhook.Upload {
	s.Helper()
	u, err := s.store.AddUpload(s.Context(), webhook.Upload{Account: account, Created: change()})
	s.check(err)
	s.check(s.store.AddUploadBlock(s.Context(), account, u.ID, 0, []byte(text)))
	u, err = s.store.CompleteUpload(s.Context(), account, u.ID)
	s.check(err)
	return u
}

// reconcile posts a list with the fields of its form, in parts.
func (b *browser) reconcile(fields map[string]string, file string) page {
	b.Helper()
	body, kind := b.site.parts(fields, file)
	request := b.request(http.MethodPost, "/reconcile", body)
	request.Header.Set("Content-Type", kind)
	return b.do(request)
}

// booked leaves a delivery of each booking behind.
func (s *site) booked(references ...string) {
	s.Helper()
	for _, reference := range references {
		s.leave(webhook.Event{BookingID: reference, Type: "new_confirmed_web"})
	}
}

func TestReconcilePastedReferences(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.hook(nowhere)
	s.booked("TC-1", "TC-2", "TC-3", "TC-3")
	b := s.signIn(staff)
	b.get("/reconcile?webhook_id="+w.ID.String()).is(200).has(`value="`+w.ID.String()+`" selected`, time.Now().UTC().AddDate(0, 0, -30).Format(time.DateOnly))
	p := b.reconcile(map[string]string{"webhook_id": w.ID.String(), "text": "#tc-1\ntc 9\n"}, "").is(303)
	result := p.location
	b.get(result).is(200).has("lacks 2 bookings that it was sent.", "2 are waiting.", "TC-2", "TC-3", "Replay the 2 that it lacks", "1 booking")
	b.get(result+"?list=unsent").has("tc 9", "It never came in", "0 skipped, 1 never came in")
	b.get(result + "?after=TC-2").has("TC-3").lacks(">TC-2<")
	rows := rowsOf(t, strings.TrimPrefix(b.get(result+"/export.csv").is(200).text, "\ufeff"))
	var got []string
	for _, row := range rows[1:] {
		got = append(got, row[0]+" "+row[1]+" "+row[3])
	}
	if want := []string{"lacking TC-2 pending", "lacking TC-3 pending", "never_came_in tc 9 "}; !slices.Equal(got, want) {
		t.Errorf("export: got %q, want %q", got, want)
	}
	b.get("/reconcile").has("Earlier comparisons", result)

	counts := "/replays/new?reconciliation_id=" + strings.TrimPrefix(result, "/reconcile/")
	b.get(counts).is(200).has("2 deliveries of 2 bookings to 1 webhook", "1 older one of the same booking left out")
	b.get(counts + "&only=all").has("3 deliveries of 2 bookings")
	started := b.post(counts, nil).is(303).location
	b.get(started).has("Replay of 2 deliveries")
}

// TestReconcileChoosesAColumn: the column is guessed by what the account knows, and can
// be chosen.
func TestReconcileChoosesAColumn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.hook(nowhere)
	s.booked("17", "18")
	b := s.signIn(anna)
	const list = "No;Name;Their id\n1;Ann;17\n2;Bob;18\n3;Cid;19\n"
	p := b.reconcile(map[string]string{"webhook_id": w.ID.String(), "since": "2025-01-01"}, list).is(303)
	b.get(p.location).is(200).has("Which column of list.csv", `value="2" checked`, "2 known bookings", `name="header" value="1" checked`, "2025-01-01")
	path, _, _ := strings.Cut(p.location, "?")
	form := map[string][]string{"webhook_id": {w.ID.String()}, "column": {"2"}, "header": {"1"}}
	b.get(b.post(path, form).is(303).location).has("holds everything that it was sent", "list.csv: 3 references", "Never sent 1")
	form["column"] = []string{"1"}
	b.get(b.post(path, form).is(303).location).has("lacks 2 bookings", "Never sent 3")
	form["column"] = []string{"7"}
	b.post(path, form).is(422).has("Choose the column that has the references.")
	form["column"], form["webhook_id"] = []string{"2"}, nil
	b.post(path, form).is(422).has("Choose the webhook whose receiver")
}

func TestReconcileRefusesLists(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.hook(nowhere)
	b := s.signIn(anna)
	fields := map[string]string{"webhook_id": w.ID.String()}
	for file, text := range map[string]string{
		"":                                       "Paste the references, or choose a file.",
		"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":       "This is an old Excel file (.xls)",
		"%PDF-1.7\n":                             "neither a CSV file nor an Excel workbook",
		"<html><table><tr><td>1":                 "This is a web page or XML",
		"PK\x03\x04broken":                       "This file is damaged",
		strings.Repeat("x", webhook.MaxUpload+1): "This is larger than 10 MiB",
	} {
		b.reconcile(fields, file).is(422).has(text, `value="`+w.ID.String()+`" selected`)
	}
	b.reconcile(map[string]string{"webhook_id": w.ID.String(), "text": "Ref;x\n;1\n"}, "").is(303)
	fields["text"] = "%PDF- typed"
	b.reconcile(fields, "").is(422).has("%PDF- typed", "neither a CSV file")
	lost := b.reconcile(map[string]string{"webhook_id": "", "text": "TC-1"}, "").is(303).location
	b.get(lost).is(422).has("Choose the webhook whose receiver", "TC-1")
}

// TestReconcileLongHeaders: no part of a form has a header that does not fit into its share
// of memory.
func TestReconcileLongHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hook(nowhere)
	b := s.signIn(anna)
	body, kind := s.parts(map[string]string{"text": "TC-1"}, "")
	for header, status := range map[string]int{"x: y": http.StatusSeeOther, "x: " + strings.Repeat("y", 64<<10): http.StatusBadRequest} {
		request := b.request(http.MethodPost, "/reconcile", strings.Replace(body, "Content-Disposition", header+"\r\nContent-Disposition", 1))
		request.Header.Set("Content-Type", kind)
		b.do(request).is(status)
	}
}

// TestReconcileManyLines: a list of several blocks arrives whole.
func TestReconcileManyLines(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.hook(nowhere)
	s.booked("B4999")
	var list strings.Builder
	for i := range 12_000 {
		list.WriteString("B" + strconv.Itoa(i) + "\r\n")
	}
	b := s.signIn(anna)
	p := b.reconcile(map[string]string{"webhook_id": w.ID.String()}, list.String()).is(303)
	b.get(p.location).has("list.csv: 12,000 references", "holds everything", "Never sent 11,999")
}
