// Package spreadsheet writes lists as CSV (RFC 4180) that programs read, and that people
// can open in Excel and its like without harm.
package spreadsheet

import (
	"encoding/csv"
	"io"
	"strings"
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

// afterSemicolon defuses what begins a formula after a semicolon: where that separates
// cells (Excel in most of Europe), it begins one, whatever quotes are around.
var afterSemicolon = strings.NewReplacer(";=", ";'=", ";+", ";'+", ";-", ";'-", ";@", ";'@")

// defuse returns a cell so that no spreadsheet runs it as a formula: with an apostrophe
// before what begins one (OWASP, CSV injection).
func defuse(cell string) string {
	if cell != "" && (strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) || strings.HasPrefix(cell, "＝") ||
		strings.HasPrefix(cell, "＋") || strings.HasPrefix(cell, "－") || strings.HasPrefix(cell, "＠")) {
		cell = "'" + cell
	}
	return afterSemicolon.Replace(cell)
}
