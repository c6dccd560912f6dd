package reconcile_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

func newHook(tb testing.TB, s *db.Store, account webhook.AccountID, all bool) *webhook.Webhook {
	tb.Helper()
	w, err := s.CreateWebhook(tb.Context(), &webhook.Webhook{Account: account, Enabled: true, Secret: "whsec_one", Config: webhook.Config{
		Name: "Accounting", URL: "https://example.com/", Kind: webhook.Async, Format: webhook.Standard, AllEvents: all, Events: []string{"cancelled"}[:btoi(!all)],
		Channels: webhook.NewFilter(webhook.All, nil), Tours: webhook.NewFilter(webhook.All, nil), Concurrency: 8,
	}}, nil, change())
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func insert(tb testing.TB, s *db.Store, account webhook.AccountID, events []webhook.Event) {
	tb.Helper()
	subscriptions, err := s.Subscriptions(tb.Context(), account)
	if err == nil {
		_, err = s.Insert(tb.Context(), webhook.NewPlan(subscriptions, events, time.Now(), time.Now()))
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// store stores a list as an upload.
func store(tb testing.TB, s *db.Store, account webhook.AccountID, body []byte) webhook.Upload {
	tb.Helper()
	u, err := s.AddUpload(tb.Context(), webhook.Upload{Account: account, Created: change()})
	if err != nil {
		tb.Fatal(err)
	}
	number := 0
	for block := range slices.Chunk(body, webhook.UploadBlock) {
		if err := s.AddUploadBlock(tb.Context(), account, u.ID, number, block); err != nil {
			tb.Fatal(err)
		}
		number++
	}
	if u, err = s.CompleteUpload(tb.Context(), account, u.ID); err != nil {
		tb.Fatal(err)
	}
	return u
}

// workbook is an .xlsx file with one sheet, in parts by their names.
func workbook(tb testing.TB, parts map[string]string) []byte {
	tb.Helper()
	all := map[string]string{
		"xl/workbook.xml": `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
			<sheets><sheet name="Notes" sheetId="1" state="hidden" r:id="rId1"/><sheet name="Bookings" sheetId="2" r:id="rId2"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
			<Relationship Id="rId1" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Target="worksheets/sheet2.xml"/></Relationships>`,
	}
	for name, text := range parts {
		all[name] = text
	}
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	for name, text := range all {
		w, err := archive.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

// xlsxList is csvList as Excel writes it: texts are shared.
func xlsxList(tb testing.TB, format string, shift int) []byte {
	tb.Helper()
	var sheet, shared strings.Builder
	shared.WriteString(`<sst><si><t>Date</t></si><si><t>Booking</t></si><si><t>Customer</t></si><si><t>Total</t></si>`)
	sheet.WriteString(`<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c><c r="D1" t="s"><v>3</v></c></row>`)
	for i := range benchLines {
		fmt.Fprintf(&shared, "<si><t>"+format+"</t></si><si><t>Customer %d</t></si>", i+shift, i)
		fmt.Fprintf(&sheet, `<row r="%[1]d"><c r="A%[1]d" s="1"><v>46327</v></c><c r="B%[1]d" t="s"><v>%[2]d</v></c><c r="C%[1]d" t="s"><v>%[3]d</v></c><c r="D%[1]d"><v>12.5</v></c></row>`, i+2, 4+2*i, 5+2*i)
	}
	sheet.WriteString(`</sheetData></worksheet>`)
	shared.WriteString(`</sst>`)
	return workbook(tb, map[string]string{"xl/worksheets/sheet2.xml": sheet.String(), "xl/sharedStrings.xml": shared.String()})
}
