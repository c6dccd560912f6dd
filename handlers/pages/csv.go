package pages

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"bookhook/views"
	"bookhook/webhook"
)

// Bounds of an import.
const (
	maxImport       = 10_000 // rows
	maxLineProblems = 50     // that are shown
	maxShownLine    = 200    // characters of a line shown with its problem
)

// readCSV reads rows of id and name, separated by comma, semicolon or tab, quoted
// or not, with or without a heading. Every row that is not valid is named in the
// form, which also keeps what was typed.
func readCSV(text string) ([]webhook.Item, views.ImportForm) {
	form := views.ImportForm{Text: text}
	if !utf8.ValidString(text) {
		form.Text = strings.ToValidUTF8(text, "�")
		form.Problem = webhook.NewMessage("import.not_utf8")
		return nil, form
	}
	rows := newRowReader(text)
	seen := map[string]int{}
	var items []webhook.Item
	for {
		fields, line, err := rows.next(len(form.Lines) < maxLineProblems)
		if errors.Is(err, io.EOF) {
			return items, checkList(form, len(items))
		}
		if err == nil && len(seen) == 0 && isHeading(fields) {
			continue
		}
		item, problem := readRow(fields, err, rows.separator)
		if first, again := seen[item.ID]; problem.IsZero() && again {
			problem = webhook.NewMessage("import.twice", item.ID, first)
		}
		if !problem.IsZero() {
			form.Lines = append(form.Lines, views.LineProblem{Line: line, Text: webhook.Truncate(rows.line(line), maxShownLine), Problem: problem})
			continue
		}
		seen[item.ID] = line
		items = append(items, item)
	}
}

// checkList adds the problem of the list as a whole.
func checkList(form views.ImportForm, rows int) views.ImportForm {
	switch {
	case len(form.Lines) > maxLineProblems:
		form.Problem = webhook.NewMessage("import.many_lines", len(form.Lines), maxLineProblems)
		form.Lines = form.Lines[:maxLineProblems]
	case len(form.Lines) > 0:
	case rows == 0:
		form.Problem = webhook.NewMessage("import.empty")
	case rows > maxImport:
		form.Problem = webhook.NewMessage("import.too_long", rows, maxImport)
	}
	return form
}

// rowReader reads the rows of a list with encoding/csv, and knows their lines.
type rowReader struct {
	separator rune
	lines     []string // with their line ends
	reader    *csv.Reader
	skipped   int // lines before the first one of reader
}

func newRowReader(text string) *rowReader {
	r := &rowReader{lines: strings.SplitAfter(strings.TrimPrefix(text, "\ufeff"), "\n")}
	r.separator = separatorOf(r.lines)
	r.skipTo(0)
	return r
}

// skipTo continues after that many lines.
func (r *rowReader) skipTo(lines int) {
	r.skipped = lines
	r.reader = csv.NewReader(strings.NewReader(strings.Join(r.lines[lines:], "")))
	r.reader.Comma, r.reader.TrimLeadingSpace, r.reader.FieldsPerRecord = r.separator, r.separator != '\t', -1
}

// line returns the text of a line; the first is 1.
func (r *rowReader) line(n int) string { return strings.TrimRight(r.lines[n-1], "\r\n") }

// next returns the fields of the next row that is not blank, and its first line.
// It returns io.EOF at the end of the list, and a csv.ParseError for quotes that do
// not match. An unclosed quote would extend over all following lines; if retry is
// set, the next row starts on the line after it.
func (r *rowReader) next(retry bool) (fields []string, line int, err error) {
	for {
		fields, err = r.reader.Read()
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			line = r.skipped + wrong.StartLine
			if retry && wrong.Line > wrong.StartLine {
				r.skipTo(line)
			}
			return nil, line, err
		}
		if err != nil {
			return nil, 0, err
		}
		first, _ := r.reader.FieldPos(0)
		if line = r.skipped + first; strings.TrimSpace(r.line(line)) != "" {
			return fields, line, nil
		}
	}
}

// readRow returns the item in the fields of a row, or what is wrong with it.
func readRow(fields []string, err error, separator rune) (webhook.Item, webhook.Message) {
	switch {
	case err != nil:
		return webhook.Item{}, webhook.NewMessage("import.quotes")
	case len(fields) == 1:
		id, name := fields[0], "name"
		if i := strings.IndexAny(id, ",;\t"); i > 0 { // of other lines
			id, name = id[:i], strings.TrimSpace(id[i+1:])
		}
		return webhook.Item{}, webhook.NewMessage("import.one_part", webhook.Truncate(id, 20)+string(separator)+webhook.Truncate(name, 20))
	case len(fields) != 2:
		return webhook.Item{}, webhook.NewMessage("import.parts", len(fields), nameOfSeparator[separator])
	}
	item, problems := webhook.CheckItem(webhook.Item{ID: fields[0], Name: lineBreaks.Replace(fields[1])})
	for _, field := range []string{"id", "name"} {
		if problem := problems[field]; !problem.IsZero() {
			return item, problem
		}
	}
	return item, webhook.Message{}
}

// lineBreaks replaces the line breaks in a name by spaces.
var lineBreaks = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

var nameOfSeparator = map[rune]string{',': "comma", ';': "semicolon", '\t': "tab"}

// separatorOf finds the separator in the first line that is not blank: spreadsheets
// in many countries write semicolons, and pasted cells have tabs.
func separatorOf(lines []string) rune {
	for _, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if i := strings.IndexAny(line, ",;\t"); i >= 0 {
			return rune(line[i])
		}
		break
	}
	return ','
}

func isHeading(fields []string) bool { return strings.EqualFold(strings.TrimSpace(fields[0]), "id") }
