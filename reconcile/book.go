package reconcile

import (
	"archive/zip"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"path"
	"strconv"
	"strings"

	"bookhook/webhook"
)

// Bounds of a spreadsheet, which is compressed: a small file may unpack to more than
// fits into memory. What is larger is refused before it is unpacked; archive/zip reads
// no more of a part than its header says.
const (
	maxSheet   = 256 << 20 // bytes of the sheet, which is read as it is unpacked
	maxStrings = 64 << 20  // bytes of the texts that its cells share
	maxShared  = 24 << 20  // bytes of them that stay in memory
	maxPart    = 1 << 20   // bytes of any other part
	maxSheets  = 1_000     // sheets
	maxTargets = 10_000    // parts that the workbook names
)

// book is the first visible sheet of an .xlsx file (ISO/IEC 29500).
type book struct {
	sheet  *zip.File
	shared sharedTexts
}

func openBook(ctx context.Context, archive *zip.Reader) (*book, error) {
	parts := map[string]*zip.File{}
	for _, f := range archive.File {
		parts[strings.ToLower(f.Name)] = f
	}
	target, err := firstSheet(parts)
	if err != nil {
		return nil, err
	}
	b := &book{sheet: parts[strings.ToLower(target)]}
	switch {
	case b.sheet == nil:
		return nil, problem("reconcile.broken")
	case b.sheet.UncompressedSize64 > maxSheet:
		return nil, problem("reconcile.large_sheet")
	}
	if part := parts["xl/sharedstrings.xml"]; part != nil {
		if b.shared, err = readShared(ctx, part); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// firstSheet returns the name of the part that has the first sheet that is not hidden.
func firstSheet(parts map[string]*zip.File) (string, error) {
	var workbook struct {
		Sheets []struct {
			State string `xml:"state,attr"`
			ID    string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
			Other string `xml:"http://purl.oclc.org/ooxml/officeDocument/relationships id,attr"` // of the strict variant
		} `xml:"sheets>sheet"`
	}
	if err := readPart(parts["xl/workbook.xml"], &workbook); err != nil {
		return "", err
	}
	var relations struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := readPart(parts["xl/_rels/workbook.xml.rels"], &relations); err != nil {
		return "", err
	}
	if len(workbook.Sheets) > maxSheets || len(relations.All) > maxTargets {
		return "", problem("reconcile.large_sheet")
	}
	targets := make(map[string]string, len(relations.All))
	for _, r := range relations.All {
		targets[r.ID] = r.Target
	}
	for _, sheet := range workbook.Sheets {
		target, known := targets[cmp.Or(sheet.ID, sheet.Other)]
		switch {
		case !known || sheet.State != "" && sheet.State != "visible":
		case strings.HasPrefix(target, "/"):
			return target[1:], nil
		default:
			return path.Join("xl", target), nil
		}
	}
	return "", problem("reconcile.empty")
}

// readPart reads a small part as XML.
func readPart(f *zip.File, into any) (err error) {
	switch {
	case f == nil:
		return problem("reconcile.broken")
	case f.UncompressedSize64 > maxPart:
		return problem("reconcile.large_sheet")
	}
	part, err := f.Open()
	if err != nil {
		return unpacked(err)
	}
	return unpacked(errors.Join(xml.NewDecoder(part).Decode(into), part.Close()))
}

// unpacked makes it a problem of the list if what was unpacked is not what it should
// be; errors of the database stay.
func unpacked(err error) error {
	if _, ok := errors.AsType[*xml.SyntaxError](err); ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, zip.ErrFormat) || errors.Is(err, zip.ErrAlgorithm) || errors.Is(err, zip.ErrChecksum) || isCorrupt(err) {
		return problem("reconcile.broken")
	}
	return err
}

// sharedTexts are the texts that cells share, one behind the other.
type sharedTexts struct {
	text string
	ends []uint32
}

func (s *sharedTexts) get(number string) string {
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= len(s.ends) {
		return ""
	}
	start := uint32(0)
	if i > 0 {
		start = s.ends[i-1]
	}
	return s.text[start:min(s.ends[i], start+maxCell)]
}

func readShared(ctx context.Context, f *zip.File) (s sharedTexts, err error) {
	if f.UncompressedSize64 > maxStrings {
		return s, problem("reconcile.large_sheet")
	}
	part, err := f.Open()
	if err != nil {
		return s, unpacked(err)
	}
	defer func() { err = errors.Join(err, part.Close()) }()
	x := newXMLReader(ctx, part)
	var text strings.Builder
	for {
		switch kind, name := x.next(); {
		case x.err != nil:
			s.text = text.String()
			return s, x.problem()
		case kind == xmlEnd && name == "si":
			s.ends = append(s.ends, uint32(text.Len())) //nolint:gosec // at most maxShared
		case kind == xmlText && x.within("t") && !x.inside("rPh"):
			text.Write(x.text)
		}
		if text.Len()+4*len(s.ends) > maxShared {
			return s, problem("reconcile.large_sheet")
		}
	}
}

// each implements table.
func (b *book) each(ctx context.Context, do func(cells []string) error) (err error) {
	part, err := b.sheet.Open()
	if err != nil {
		return unpacked(err)
	}
	defer func() {
		if errors.Is(err, errEnough) {
			err = nil
		}
		err = errors.Join(err, part.Close())
	}()
	r := sheetReader{book: b, xml: newXMLReader(ctx, part)}
	return r.each(do)
}

// sheetReader reads the rows of a sheet.
type sheetReader struct {
	*book
	xml   *xmlReader
	cells []string
	at    int    // the column of the cell that is read
	kind  string // of its value
	value []byte
	rows  int
}

func (r *sheetReader) each(do func(cells []string) error) error {
	x := r.xml
	for {
		kind, name := x.next()
		switch {
		case x.err != nil:
			return x.problem()
		case kind == xmlText:
			if x.within("v") || x.within("t") && !x.inside("rPh") {
				r.value = append(r.value, x.text[:min(len(x.text), maxCell-len(r.value))]...)
			}
		case name == "row" && kind == xmlStart:
			r.cells, r.at = r.cells[:0], -1
		case name == "row":
			if err := r.end(do); err != nil {
				return err
			}
		case name == "c" && kind == xmlStart:
			r.begin()
		case name == "c":
			r.add()
		}
	}
}

// begin begins a cell.
func (r *sheetReader) begin() {
	r.at++
	r.kind, r.value = r.xml.attribute("t"), r.value[:0]
	if at, ok := columnOf(r.xml.attribute("r")); ok {
		r.at = at
	}
}

// add adds the cell that was read to its row.
func (r *sheetReader) add() {
	if r.at < 0 || r.at >= maxColumns || len(r.value) == 0 {
		return
	}
	for len(r.cells) <= r.at {
		r.cells = append(r.cells, "")
	}
	switch value := string(r.value); r.kind {
	case "s":
		r.cells[r.at] = r.shared.get(value)
	case "", "n":
		r.cells[r.at] = number(value)
	case "e": // an error such as #N/A
	default:
		r.cells[r.at] = value
	}
}

func (r *sheetReader) end(do func(cells []string) error) error {
	if blank(r.cells) {
		return nil
	}
	if r.rows++; r.rows > webhook.MaxUploadLines {
		return problem("reconcile.many_lines", webhook.MaxUploadLines)
	}
	return do(r.cells)
}

// columnOf returns the column in the name of a cell: 2 for C7.
func columnOf(name string) (column int, ok bool) {
	for _, c := range []byte(name) {
		if c < 'A' || c > 'Z' || column > maxColumns {
			break
		}
		column = column*26 + int(c-'A') + 1
	}
	return column - 1, column > 0
}

// number writes a number as people see it: spreadsheets store long ones as 1.2E+11.
func number(value string) string {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return value
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
