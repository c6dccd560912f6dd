package reconcile

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"bookhook/webhook"
)

// read returns the rows of a list.
func read(body []byte) (rows [][]string, err error) {
	t, err := openTable(context.Background(), io.NewSectionReader(bytes.NewReader(body), 0, int64(len(body))))
	if err != nil {
		return nil, err
	}
	err = t.each(context.Background(), func(cells []string) error {
		rows = append(rows, slices.Clone(cells))
		return nil
	})
	return rows, err
}

func utf16Text(text string, mark bool, big bool) []byte {
	units := utf16.Encode([]rune(text))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	var body []byte
	for _, unit := range units {
		if big {
			body = append(body, byte(unit>>8), byte(unit))
		} else {
			body = append(body, byte(unit), byte(unit>>8))
		}
	}
	return body
}

func TestTextShapes(t *testing.T) {
	long := strings.Repeat("Some,thing\n", 20_000)
	for name, c := range map[string]struct {
		body []byte
		want [][]string
	}{
		"one column":               {[]byte("A1\nA2\n"), [][]string{{"A1"}, {"A2"}}},
		"no line end":              {[]byte("A1\r\nA2"), [][]string{{"A1"}, {"A2"}}},
		"carriage returns alone":   {[]byte("A1;x\rA2;y\r"), [][]string{{"A1", "x"}, {"A2", "y"}}},
		"a long line":              {[]byte(strings.Repeat("A1,", 2*maxColumns) + "A1"), slices.Repeat([][]string{{"A1"}}, 2*maxColumns+1)},
		"rows of many cells":       {[]byte(strings.Repeat(strings.Repeat("A1,", maxColumns)+"A1\n", 2)), slices.Repeat([][]string{slices.Repeat([]string{"A1"}, maxColumns)}, 2)},
		"one line":                 {[]byte("A1, A2,,A3"), [][]string{{"A1"}, {" A2"}, {"A3"}}},
		"blank lines":              {[]byte("\n \nA1\n;;\nA2;\n\t\n"), [][]string{{"A1"}, {"A2", ""}}},
		"commas":                   {[]byte("Ref,Name\nA1,\"Smith, Ann\"\n"), [][]string{{"Ref", "Name"}, {"A1", "Smith, Ann"}}},
		"semicolons with commas":   {[]byte("Ref;Total\nA1;12,50\nA2;1,00\n"), [][]string{{"Ref", "Total"}, {"A1", "12,50"}, {"A2", "1,00"}}},
		"tabs":                     {[]byte("A1\tSmith, Ann\nA2\tLee; Bo\n"), [][]string{{"A1", "Smith, Ann"}, {"A2", "Lee; Bo"}}},
		"bars":                     {[]byte("A1|x\nA2|y\n"), [][]string{{"A1", "x"}, {"A2", "y"}}},
		"rows of different length": {[]byte("A1;x\nA2\nA3;y;z\n"), [][]string{{"A1", "x"}, {"A2"}, {"A3", "y", "z"}}},
		"sep":                      {[]byte("sep=;\r\nA,1;x\r\n"), [][]string{{"A,1"}, {"x"}}},
		"sep, two lines":           {[]byte("\xef\xbb\xbfsep=|\nA,1|x\nA,2|y\n"), [][]string{{"A,1", "x"}, {"A,2", "y"}}},
		"mark":                     {[]byte("\xef\xbb\xbfA1;é\nA2;x\n"), [][]string{{"A1", "é"}, {"A2", "x"}}},
		"Windows-1252":             {[]byte("A1;Caf\xe9 \x80\nA2;x\n"), [][]string{{"A1", "Café €"}, {"A2", "x"}}},
		"UTF-16":                   {utf16Text("A1\té\r\nA2\t🎟\r\n", true, false), [][]string{{"A1", "é"}, {"A2", "🎟"}}},
		"UTF-16, the other way":    {utf16Text("A1\té\nA2\tx\n", true, true), [][]string{{"A1", "é"}, {"A2", "x"}}},
		"UTF-16 without mark":      {utf16Text("A1\tx\nA2\ty\n", false, false), [][]string{{"A1", "x"}, {"A2", "y"}}},
		"line breaks in quotes":    {[]byte("\"A\n1\";x\nA2;y\n"), [][]string{{"A\n1", "x"}, {"A2", "y"}}},
		"quotes within":            {[]byte("A1;5\" pipe\nA2;\"say \"\"hi\"\"\"\n"), [][]string{{"A1", `5" pipe`}, {"A2", `say "hi"`}}},
		"Windows-1252 at the end":  {[]byte(long + "Caf\xe9,1\n"), nil},
	} {
		got, err := read(c.body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.want == nil {
			if last := got[len(got)-1]; len(got) != 20_001 || last[0] != "Café" {
				t.Errorf("%s: got %d rows, the last %q", name, len(got), last)
			}
			continue
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestListsThatAreRefused(t *testing.T) {
	zipOf := func(names ...string) string {
		parts := map[string]string{}
		for _, name := range names {
			parts[name] = "x"
		}
		return string(archive(t, parts))
	}
	for name, c := range map[string]struct{ body, code string }{
		"nothing":               {"", "reconcile.empty"},
		"a mark alone":          {"\xef\xbb\xbf\r\n", "reconcile.empty"},
		"UTF-16 of nothing":     {"\xff\xfe", "reconcile.empty"},
		"old Excel":             {"\xd0\xcf\x11\xe0\xa1\xb1", "reconcile.xls"},
		"PDF":                   {"%PDF-1.7", "reconcile.other_file"},
		"RTF":                   {"{\\rtf1", "reconcile.other_file"},
		"a picture":             {"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00", "reconcile.other_file"},
		"HTML":                  {" <table><tr><td>A1", "reconcile.markup"},
		"LibreOffice":           {zipOf("mimetype", "content.xml"), "reconcile.ods"},
		"Numbers":               {zipOf("Index/Document.iwa"), "reconcile.ods"},
		"another archive":       {zipOf("list.csv"), "reconcile.other_file"},
		"half an archive":       {zipOf("xl/workbook.xml")[:40], "reconcile.broken"},
		"a workbook of nothing": {zipOf("xl/workbook.xml"), "reconcile.broken"},
		"an open quote":         {"A1;\"x\nA2;y\nA3;z\n", "reconcile.quotes"},
		"a very long cell":      {"A1;\"x\n" + strings.Repeat("y", maxCell) + "\"\nA2;y\n", "reconcile.quotes"},
		"too many cells":        {strings.Repeat(",", 2*maxCells), "reconcile.many_cells"},
		"too many lines":        {strings.Repeat("A\n", webhook.MaxUploadLines+1), "reconcile.many_lines"},
	} {
		_, err := read([]byte(c.body))
		problems, ok := errors.AsType[webhook.Invalid](err)
		if !ok || problems["file"].Code != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
}

func archive(tb testing.TB, parts map[string]string) []byte {
	tb.Helper()
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	for name, text := range parts {
		part, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(part, text)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

// bookOf is a workbook of which the first sheet is hidden.
func bookOf(tb testing.TB, sheet, shared string) []byte {
	tb.Helper()
	return archive(tb, map[string]string{
		"xl/workbook.xml": `<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>
			<sheet name="Notes" state="hidden" r:id="rId1"/><sheet name="Bookings" r:id="rId2"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Target="/xl/worksheets/Sheet2.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml":   `<worksheet><sheetData><row><c t="str"><v>hidden</v></c></row></sheetData></worksheet>`,
		"xl/worksheets/sheet2.xml":   sheet,
		"xl/sharedStrings.xml":       shared,
	})
}

func TestBooks(t *testing.T) {
	const shared = `<sst><si><t>Ref</t></si><si><r><t>A</t></r><r><t xml:space="preserve"> 1</t></r><rPh><t>kana</t></rPh></si><si/></sst>`
	for name, c := range map[string]struct {
		rows string
		want [][]string
	}{
		"shared texts":      {`<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c></row>`, [][]string{{"Ref"}, {"A 1"}}},
		"places":            {`<row><c r="B1" t="str"><v>x</v></c><c r="D1" t="str"><v>y</v></c></row>`, [][]string{{"", "x", "", "y"}}},
		"without places":    {`<row><c t="str"><v>x</v></c><c/><c t="str"><v>y</v></c></row>`, [][]string{{"x", "", "y"}}},
		"inline texts":      {`<row><c t="inlineStr"><is><t>A&amp;1</t></is></c></row>`, [][]string{{"A&1"}}},
		"numbers":           {`<row><c><v>1.23456789012E11</v></c><c t="n"><v>17.0</v></c><c><v>12.5</v></c><c><v>x</v></c></row>`, [][]string{{"123456789012", "17", "12.5", "x"}}},
		"formulas":          {`<row><c t="str"><f>A1&amp;"x"</f><v>A1x</v></c><c t="e"><v>#N/A</v></c></row>`, [][]string{{"A1x", ""}}},
		"blank rows":        {`<row/><row><c s="1"/></row><row><c t="str"><v>x</v></c></row>`, [][]string{{"x"}}},
		"far away":          {`<row><c r="XFD1" t="str"><v>x</v></c><c r="A1" t="str"><v>y</v></c></row>`, [][]string{{"y"}}},
		"unknown texts":     {`<row><c t="s"><v>99</v></c><c t="s"><v>-1</v></c><c t="b"><v>1</v></c></row>`, [][]string{{"", "", "1"}}},
		"an empty shared":   {`<row><c t="s"><v>2</v></c><c t="str"><v>x</v></c></row>`, [][]string{{"", "x"}}},
		"prefixed elements": {`<x:row xmlns:x="y"><x:c t="str"><x:v>x</x:v></x:c></x:row>`, [][]string{{"x"}}},
	} {
		got, err := read(bookOf(t, `<worksheet><sheetData>`+c.rows+`</sheetData></worksheet>`, shared))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
}

// TestBombs: what is small and unpacks to more than fits is refused.
func TestBombs(t *testing.T) {
	many := strings.Repeat("<si><t>"+strings.Repeat("x", 1000)+"</t></si>", maxShared/1000+1)
	deep := strings.Repeat("<a>", maxDepth+1)
	row := `<row><c t="str"><v>x</v></c></row>`
	for name, body := range map[string][]byte{
		"texts":       bookOf(t, "<worksheet><sheetData>"+row+"</sheetData></worksheet>", "<sst>"+many+"</sst>"),
		"large texts": bookOf(t, "<worksheet/>", strings.Repeat(" ", maxStrings+1)),
		"a sheet":     bookOf(t, strings.Repeat(" ", maxSheet+1), "<sst/>"),
		"one text":    bookOf(t, "<worksheet><sheetData><row><c><v>"+strings.Repeat("x", 2*maxToken), "<sst/>"),
		"sheets":      listing(t, strings.Repeat("<sheet/>", maxSheets+1), ""),
		"targets":     listing(t, "<sheet/>", strings.Repeat("<Relationship/>", maxTargets+1)),
		"a comment":   bookOf(t, "<worksheet><!--"+strings.Repeat(" ", 2*maxToken)+"--></worksheet>", "<sst/>"),
	} {
		_, err := read(body)
		if problems, ok := errors.AsType[webhook.Invalid](err); !ok || problems["file"].Code != "reconcile.large_sheet" {
			t.Errorf("%s in %d bytes: got %v", name, len(body), err)
		}
	}
	for name, sheet := range map[string]string{"depth": deep, "half a sheet": "<worksheet><sheetData><row>", "no XML": "<<"} {
		_, err := read(bookOf(t, sheet, "<sst/>"))
		if problems, ok := errors.AsType[webhook.Invalid](err); !ok || problems["file"].Code != "reconcile.broken" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// listing is a workbook of which these are the sheets, and the parts that it names.
func listing(tb testing.TB, sheets, targets string) []byte {
	tb.Helper()
	return archive(tb, map[string]string{
		"xl/workbook.xml":            "<workbook><sheets>" + sheets + "</sheets></workbook>",
		"xl/_rels/workbook.xml.rels": "<Relationships>" + targets + "</Relationships>",
	})
}

// TestManyElements: of a part that is full of empty elements only so many are read.
func TestManyElements(t *testing.T) {
	x := newXMLReader(t.Context(), strings.NewReader(strings.Repeat("<c/>", 10)))
	x.count = maxElements - 5
	for range 2 * 5 { // their beginnings and ends
		if x.next(); x.err != nil {
			t.Fatal(x.err)
		}
	}
	x.next()
	if problems, ok := errors.AsType[webhook.Invalid](x.problem()); !ok || problems["file"].Code != "reconcile.large_sheet" {
		t.Errorf("got %v", x.err)
	}
}

// TestNobodyWaits: a sheet is not read to its end when nobody waits for it any more.
func TestNobodyWaits(t *testing.T) {
	const rows = 100_000
	body := bookOf(t, "<worksheet><sheetData>"+strings.Repeat(`<row><c t="str"><v>x</v></c></row>`, rows)+"</sheetData></worksheet>", "<sst/>")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	table, err := openTable(ctx, io.NewSectionReader(bytes.NewReader(body), 0, int64(len(body))))
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	err = table.each(ctx, func([]string) error {
		cancel()
		read++
		return nil
	})
	if !errors.Is(err, context.Canceled) || read > rows/10 {
		t.Errorf("got %v after %d rows", err, read)
	}
}

// TestLargeCells: a text that many cells share is in memory once, and what is kept of long
// cells to guess a column is short.
func TestLargeCells(t *testing.T) {
	cells := strings.Repeat(`<c t="s"><v>0</v></c>`, maxColumns)
	sheet := "<worksheet><sheetData>" + strings.Repeat("<row>"+cells+"</row>", 10) + "</sheetData></worksheet>"
	body := bookOf(t, sheet, "<sst><si>"+strings.Repeat("<t>"+strings.Repeat("x", 1<<10)+"</t>", 8<<10)+"</si></sst>")
	table, err := openTable(context.Background(), io.NewSectionReader(bytes.NewReader(body), 0, int64(len(body))))
	if err != nil {
		t.Fatal(err)
	}
	if allocated := testing.AllocsPerRun(1, func() {
		if err := table.each(t.Context(), func(cells []string) error {
			if len(cells[0]) > maxCell {
				t.Errorf("got a cell of %d bytes", len(cells[0]))
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}); allocated > 1e6 {
		t.Errorf("%f allocations", allocated)
	}
	s, err := readSample(t.Context(), table)
	if err != nil || len(s.rows) != 10 {
		t.Fatal(len(s.rows), err)
	}
	for _, row := range s.rows {
		for _, cell := range row {
			if len(cell) > maxSampled {
				t.Fatalf("%d bytes of a cell are kept", len(cell))
			}
		}
	}
}

// TestArchiveThatLies: of a part that is larger than its header says, no more is read.
func TestArchiveThatLies(t *testing.T) {
	body := bookOf(t, "<worksheet><sheetData>"+strings.Repeat(`<row><c t="str"><v>x</v></c></row>`, 1000)+"</sheetData></worksheet>", "<sst/>")
	r, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	for _, f := range r.File {
		header := f.FileHeader
		if strings.HasSuffix(f.Name, "sheet2.xml") {
			header.UncompressedSize64 = 100
		}
		part, err := w.CreateRaw(&header)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := f.OpenRaw()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(part, raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = read(file.Bytes())
	if problems, ok := errors.AsType[webhook.Invalid](err); !ok || problems["file"].Code != "reconcile.broken" {
		t.Errorf("got %v", err)
	}
}

func TestKey(t *testing.T) {
	long := strings.Repeat(`="`, maxSampled) + "1" + strings.Repeat(`"`, maxSampled)
	for _, c := range []struct{ cell, clean, key string }{
		{" TC-1 ", "TC-1", "TC-1"},
		{"#tc 1\u00a0", "tc 1", "TC1"},
		{"'1234", "1234", "1234"},
		{`="00123"`, "00123", "00123"},
		{"1234.0", "1234", "1234"},
		{"1234.000", "1234", "1234"},
		{"1234.50", "1234.50", "1234.50"},
		{"A1.0", "A1.0", "A1.0"},
		{"\ufeff##12", "12", "12"},
		{"# ", "", ""},
		{long, long, long},
		{"café 1", "café 1", "CAFÉ1"},
	} {
		if clean, key := Clean(c.cell), Key(c.cell); clean != c.clean || key != c.key {
			t.Errorf("%q: got %q, %q, want %q, %q", c.cell, clean, key, c.clean, c.key)
		}
	}
}

func FuzzKey(f *testing.F) {
	for _, seed := range []string{"TC-1", "#tc 1", `="00'1"`, "1234.0", "'#'", "ŉ1", "ǅ", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		key := Key(cell)
		if again := Key(key); again != key {
			t.Errorf("%q: the key of %q is %q", cell, key, again)
		}
		for _, spelling := range spellings(cell) {
			if got := Key(spelling); isReference(Clean(cell)) && !strings.EqualFold(got, key) {
				t.Errorf("%q is spelled %q, whose key is %q, not %q", cell, spelling, got, key)
			}
		}
	})
}

// FuzzReadList: a list is read, or refused with a reason that people can read.
func FuzzReadList(f *testing.F) {
	for _, seed := range []string{"A1\nA2", "A1;x\r\nA2;\"y", "sep=;\nA;B\n", "\xff\xfeA\x001\x00", "<a>", "PK\x03\x04", "A1, A2", "\xd0\xcf\x11\xe0"} {
		f.Add([]byte(seed))
	}
	f.Add(bookOf(f, `<worksheet><sheetData><row><c t="s"><v>0</v></c></row></sheetData></worksheet>`, `<sst><si><t>A</t></si></sst>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, err := read(body)
		if _, ok := errors.AsType[webhook.Invalid](err); err != nil && !ok {
			t.Fatalf("got %v", err)
		}
		for _, row := range rows {
			if len(row) == 0 || len(row) > maxColumns && len(rows) > 1 || blank(row) {
				t.Fatalf("got the row %q of %d", row, len(rows))
			}
		}
		if again, other := read(body); !reflect.DeepEqual(again, rows) || fmt.Sprint(other) != fmt.Sprint(err) {
			t.Fatalf("got %q, %v and then %q, %v", rows, err, again, other)
		}
	})
}
