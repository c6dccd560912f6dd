package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/playwright-community/playwright-go"
)

// lossy is a webhook whose receiver got the bookings TC-0 to TC-29 and lost every tenth
// of them: TC-0, TC-10 and TC-20. It also holds one that was skipped and one that never
// came in.
func lossy(t testing.TB, op *shop) (in *inbox, hook target, held []string) {
	t.Helper()
	in = receiver(t)
	hook = op.webhook("Accounting", in.URL, map[string]any{"events": []string{"new_confirmed_web"}})
	var events []any
	for i := range 30 {
		reference := fmt.Sprint("TC-", i)
		events = append(events, map[string]any{"type": "new_confirmed_web", "booking_id": reference})
		if i%10 != 0 {
			held = append(held, reference)
		}
	}
	events = append(events, map[string]any{"type": "cancelled", "booking_id": "S-1"})
	op.ask("POST", "/events/batch", map[string]any{"events": events}).want(t, http.StatusAccepted, nil)
	for range 30 {
		in.next(t)
	}
	op.awaitCount(t, "state=delivered", 30)
	return in, hook, append(held, "s-1", "Unknown 1")
}

// heldList are whole rows of what a receiver holds.
func heldList(held []string, separator string) string {
	rows := []string{strings.Join([]string{"No", "Guest", "Booking", "Total"}, separator)}
	for i, reference := range held {
		rows = append(rows, strings.Join([]string{fmt.Sprint(i + 1), "Guest", "#" + reference, "12.50"}, separator))
	}
	return strings.Join(rows, "\r\n") + "\r\n"
}

// heldBook is heldList as an Excel workbook.
func heldBook(t testing.TB, held []string) []byte {
	t.Helper()
	var sheet strings.Builder
	sheet.WriteString(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	for row := range strings.Lines(strings.ReplaceAll(heldList(held, "\t"), "\r\n", "\n")) {
		sheet.WriteString("<row>")
		for cell := range strings.SplitSeq(strings.TrimSuffix(row, "\n"), "\t") {
			sheet.WriteString(`<c t="inlineStr"><is><t>` + cell + `</t></is></c>`)
		}
		sheet.WriteString("</row>")
	}
	sheet.WriteString(`</sheetData></worksheet>`)
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	for name, text := range map[string]string{
		"xl/workbook.xml": `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
			`<sheets><sheet name="Bookings" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
			`<Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml": sheet.String(),
	} {
		part, err := archive.Create(name)
		must(t, err)
		_, err = io.WriteString(part, text)
		must(t, err)
	}
	must(t, archive.Close())
	return file.Bytes()
}

// unicodeText is a text as Excel saves "Unicode Text".
func unicodeText(text string) []byte {
	file := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		file = append(file, byte(unit), byte(unit>>8))
	}
	return file
}

// TestReconcile: from the webhook's page, a list is uploaded or pasted, what the
// receiver lacks is seen, downloaded and replayed, and arrives; on a computer, on a
// phone, and without JavaScript.
func TestReconcile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options pageOptions
		give    func(p *page, held []string)
	}{
		"desktop, pasted rows": {pageOptions{}, func(p *page, held []string) { p.fill("Paste the references that it holds", heldList(held, "\t")) }},
		"phone, workbook": {pageOptions{Phone: true, Dark: true}, func(p *page, held []string) {
			p.upload("Or upload its export", "held.xlsx", string(heldBook(p.t, held)))
		}},
		"no script, Unicode text": {pageOptions{NoScript: true}, func(p *page, held []string) {
			p.upload("Or upload its export", "held.txt", string(unicodeText(heldList(held, "\t"))))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			op := newShop(t)
			in, hook, held := lossy(t, op)
			op.addUser(staff, "staff", op.Number)
			p := op.as(t, staff, c.options)
			look := func(picture string) {
				switch {
				case c.options == (pageOptions{}):
					p.looks()
				case !c.options.NoScript:
					axe(t, p)
					p.fits()
				}
				screenshot(t, p, "reconcile-"+picture+"-"+name)
			}
			p.visit(op.page(hook.ID))
			p.follow("Compare with a list of what it has")
			look("form")
			c.give(p, held)
			p.press("Compare")
			p.isAt(`/reconcile/uploads/upl_\w+\?`)
			p.sees("28 known bookings among its first rows")
			must(t, expect.Locator(p.Locator(`[name="column"][value="2"]`)).ToBeChecked())
			must(t, expect.Locator(p.Locator(`[name="header"]`)).ToBeChecked())
			look("columns")
			p.press("Compare")
			p.isAt(`/reconcile/rec_\w+$`)
			p.sees("Accounting lacks 3 bookings that it was sent.")
			p.sees("3 were delivered.")
			p.sees("27 bookings")
			look("lacks")
			p.follow("Never sent 2")
			p.sees("In the list, and never sent: 1 skipped, 1 never came in.")
			p.sees("Skipped: This type of event is not selected in the webhook.")
			p.sees("It never came in, or is older than what is kept.")
			look("unsent")
			if got, want := p.exported(), "[[lacking TC-0] [lacking TC-10] [lacking TC-20] [skipped s-1] [never_came_in Unknown 1]]"; got != want {
				t.Errorf("export: got %s, want %s", got, want)
			}
			p.press("Replay the 3 that it lacks")
			p.isAt(`/replays/rpl_\w+$`)
			arrived := ""
			for range 3 {
				arrived += string(in.next(t).Body)
			}
			for _, reference := range []string{"TC-0", "TC-10", "TC-20"} {
				if !strings.Contains(arrived, `"`+reference+`"`) {
					t.Errorf("%s did not arrive again: %s", reference, arrived)
				}
			}
			p.visit(op.URL + "/reconcile")
			p.sees("Earlier comparisons")
			look("kept")
		})
	}
}

// exported downloads the result, and returns result and reference of each line.
func (p *page) exported() string {
	p.t.Helper()
	download, err := p.ExpectDownload(func() error { return p.named("link", "Export as CSV").Click() })
	must(p.t, err)
	path, err := download.Path()
	must(p.t, err)
	text, err := os.ReadFile(path)
	must(p.t, err)
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
	must(p.t, err)
	var all [][]string
	for _, row := range rows[1:] {
		all = append(all, row[:2])
	}
	return fmt.Sprint(all)
}

// TestReconcilePastedColumn: references alone are compared at once; a webhook that was
// not chosen, and a file that is not read, say so and what was pasted stays.
func TestReconcilePastedColumn(t *testing.T) {
	t.Parallel()
	for _, noScript := range []bool{false, true} {
		t.Run(fmt.Sprint("no script ", noScript), func(t *testing.T) {
			op := newShop(t)
			in, _, held := lossy(t, op)
			op.webhook("Vouchers", in.URL+"/vouchers", nil)
			p := op.as(t, operator, pageOptions{NoScript: noScript, Ignore: "status of 422"})
			p.visit(op.URL + "/replays")
			p.follow("Reconcile")
			p.press("Compare")
			p.sees("Paste the references, or choose a file.")
			p.upload("Or upload its export", "held.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
			p.press("Compare")
			must(t, expect.Locator(p.Locator("#f-file-problem")).ToContainText("This is an old Excel file (.xls)"))
			if !noScript {
				axe(t, p)
			}
			p.fill("Paste the references that it holds", strings.Join(held, "\n"))
			p.press("Compare")
			p.sees("Choose the webhook whose receiver holds these bookings.")
			if !noScript {
				axe(t, p)
			}
			_, err := p.labelled("Webhook").SelectOption(playwright.SelectOptionValues{Labels: &[]string{"Accounting"}})
			must(t, err)
			p.press("Compare")
			p.sees("Accounting lacks 3 bookings that it was sent.")
			p.follow("Options…")
			p.sees("3 deliveries of 3 bookings to 1 webhook")
			p.sees("Bookings that Accounting was sent and does not hold")
			if !noScript {
				axe(t, p)
			}
		})
	}
}
