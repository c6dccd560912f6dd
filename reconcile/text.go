package reconcile

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"bookhook/webhook"
)

// text is a list as text: its cells are separated by commas, semicolons, tabs or bars.
type text struct {
	from      *io.SectionReader
	encoding  encoding.Encoding // nil: UTF-8
	oldLines  bool              // lines end with a carriage return alone
	separator rune
	directive bool // the first line says sep=;
}

func openText(r *io.SectionReader, head []byte) (table, error) {
	t := &text{from: r}
	var err error
	if t.encoding, err = encodingOf(r, head); err != nil {
		return nil, err
	}
	start, err := io.ReadAll(io.LimitReader(t.decoded(), sampled))
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(start, 0) >= 0 {
		return nil, problem("reconcile.other_file")
	}
	t.oldLines = bytes.IndexByte(start, '\n') < 0 && bytes.IndexByte(start, '\r') >= 0
	lines := strings.FieldsFunc(string(start), func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) == 0 {
		return nil, problem("reconcile.empty")
	}
	if said, ok := strings.CutPrefix(strings.ToLower(lines[0]), "sep="); ok && utf8.RuneCountInString(said) == 1 && strings.ContainsAny(said, separators) {
		t.separator, _ = utf8.DecodeRuneInString(said)
		t.directive = true
		return t, nil
	}
	t.separator = separatorOf(lines)
	return t, nil
}

// sampled is how many bytes of a text show how its cells are separated.
const sampled = 64 << 10

// encodingOf recognises the encoding of a text; nil for UTF-8.
func encodingOf(r *io.SectionReader, head []byte) (encoding.Encoding, error) {
	zeros := [2]int{}
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	switch many := len(head) / 5; {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), zeros[0] == 0 && zeros[1] > many:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")), zeros[1] == 0 && zeros[0] > many:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), nil
	}
	_, err := io.Copy(io.Discard, transform.NewReader(section(r), encoding.UTF8Validator))
	if errors.Is(err, encoding.ErrInvalidUTF8) {
		return charmap.Windows1252, nil
	}
	return nil, err
}

// section is r from its beginning.
func section(r *io.SectionReader) io.Reader { return io.NewSectionReader(r, 0, r.Size()) }

// decoded is the text in UTF-8, without a byte order mark.
func (t *text) decoded() io.Reader {
	if t.encoding != nil {
		return transform.NewReader(section(t.from), t.encoding.NewDecoder())
	}
	return transform.NewReader(section(t.from), unicode.UTF8BOM.NewDecoder())
}

const separators = "\t;,|"

// separatorOf finds what separates the cells: what most of the lines have as often as
// the first one that has any.
func separatorOf(lines []string) rune {
	best, most := ',', 0
	for _, separator := range separators {
		first, same := 0, 0
		for _, line := range lines[:min(len(lines), 50)] {
			n := countOutside(line, separator)
			if strings.Trim(line, separators+" ") == "" { // a blank row
				continue
			}
			if first == 0 {
				first = n
			}
			if n > 0 && n == first {
				same++
			}
		}
		if same > most {
			best, most = separator, same
		}
	}
	return best
}

// countOutside counts a separator outside of quotes.
func countOutside(line string, separator rune) (n int) {
	quoted := false
	for _, r := range line {
		switch r {
		case '"':
			quoted = !quoted
		case separator:
			if !quoted {
				n++
			}
		}
	}
	return n
}

// each implements table. A list on one line is a column: "TC-1, TC-2, TC-3".
func (t *text) each(_ context.Context, do func(cells []string) error) error {
	lines := t.lines()
	var held []string // the first row, until there is a second
	rows := 0
	err := lines.each(func(cells []string) error {
		if rows++; rows == 1 && len(cells) > 1 {
			held = append(held, cells...)
			return nil
		}
		if held != nil {
			first := held[:min(len(held), maxColumns)]
			held = nil
			if err := do(first); err != nil {
				return err
			}
		}
		return do(cells[:min(len(cells), maxColumns)])
	})
	for _, cell := range held {
		if err != nil {
			break
		}
		if strings.TrimFunc(cell, isBlank) != "" {
			err = do([]string{cell})
		}
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// lines reads the rows of a text with encoding/csv.
type lines struct {
	reader *csv.Reader
	quotes int // that were read
	cells  int // that were read since the row began, and of what is behind it
}

func (t *text) lines() *lines {
	from := bufio.NewReaderSize(t.decoded(), sampled)
	if t.directive {
		skipLine(from)
	}
	l := &lines{}
	l.reader = csv.NewReader(&counter{lines: l, from: from, oldLines: t.oldLines, separator: byte(t.separator)})
	l.reader.Comma, l.reader.LazyQuotes, l.reader.FieldsPerRecord, l.reader.ReuseRecord = t.separator, true, -1, true
	return l
}

func skipLine(r *bufio.Reader) {
	for {
		b, err := r.ReadByte()
		if err != nil || b == '\n' {
			return
		}
		if next, err := r.Peek(1); b == '\r' && (err != nil || next[0] != '\n') {
			return
		}
	}
}

func (l *lines) each(do func(cells []string) error) error {
	read, swallowing := 0, 0
	for {
		l.cells = 0
		cells, err := l.reader.Read()
		switch {
		case errors.Is(err, io.EOF) && swallowing > 0 && l.quotes%2 == 1:
			return problem("reconcile.quotes", swallowing)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if swallowing = l.swallows(cells); swallowing > 0 && len(cells[len(cells)-1]) > maxCell {
			return problem("reconcile.quotes", swallowing)
		}
		if blank(cells) {
			continue
		}
		if read++; read > webhook.MaxUploadLines {
			return problem("reconcile.many_lines", webhook.MaxUploadLines)
		}
		if err := do(cells); err != nil {
			return err
		}
	}
}

// swallows returns the line where the last cell of a row begins, if the cell goes on
// over further lines: its quote may not be closed. Otherwise it returns 0.
func (l *lines) swallows(cells []string) int {
	last := len(cells) - 1
	if !strings.Contains(cells[last], "\n") {
		return 0
	}
	line, _ := l.reader.FieldPos(last)
	return line
}

func blank(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimFunc(cell, isBlank) != "" {
			return false
		}
	}
	return true
}

// counter counts the quotes and cells that it passes on, and ends lines as encoding/csv
// reads them. That keeps some forty bytes for each cell of a row.
type counter struct {
	*lines
	from      io.Reader
	oldLines  bool
	separator byte
}

// Read implements io.Reader.
func (c *counter) Read(to []byte) (int, error) {
	n, err := c.from.Read(to)
	c.quotes += bytes.Count(to[:n], []byte{'"'})
	if c.cells += bytes.Count(to[:n], []byte{c.separator}); c.cells > maxCells+len(to) {
		return 0, problem("reconcile.many_cells", maxCells)
	}
	if c.oldLines {
		for i, b := range to[:n] {
			if b == '\r' {
				to[i] = '\n'
			}
		}
	}
	return n, err
}
