// Package spreadsheet writes lists as CSV (RFC 4180) that programs read, and that people
// can open in Excel and its like without harm.
package spreadsheet

import (
	"encoding/csv"
	"io"
	"regexp"
	"strings"
	"unicode"
)

// BOM is a byte order mark. Where it does not go first, Excel does not read UTF-8; for
// programs it would be a part of the first column's name.
const BOM = "\uFEFF"

// Writer writes rows. It is for a buffer, where writing cannot fail.
type Writer struct{ lines *csv.Writer }

// NewWriter returns a Writer.
func NewWriter(to io.Writer) Writer {
	lines := csv.NewWriter(to)
	lines.UseCRLF = true
	return Writer{lines}
}

// Write writes rows, whose cells it changes so that none is run as a formula.
func (w Writer) Write(rows ...[]string) {
	for _, row := range rows {
		for i := range row {
			row[i] = defuse(row[i])
		}
		_ = w.lines.Write(row)
	}
	w.lines.Flush()
}

// formula is what begins a formula: at the start of a cell, and after a semicolon, where
// that separates cells (Excel in most of Europe), also behind quotes and spaces.
var formula = regexp.MustCompile(`(^|;)(["' ]*)([=+\-@＝＋－＠])`)

// oneLine replaces what may end a line, and other control characters, by spaces.
func oneLine(r rune) rune {
	if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
		return ' '
	}
	return r
}

// defuse returns a cell so that no spreadsheet runs it as a formula: on one line, and with
// an apostrophe before what begins one (OWASP, CSV injection).
func defuse(cell string) string {
	return formula.ReplaceAllString(strings.Map(oneLine, cell), "$1$2'$3")
}
