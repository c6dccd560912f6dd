package handlers

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

// Bounds of an import.
const (
	maxImport       = 10_000 // rows
	maxLineProblems = 50     // that are shown
	maxShownLine    = 200    // characters of a line shown with its problem
)

// importText is the file that was uploaded, or else the text that was pasted.
// No other form is read in parts.
func importText(c *fiber.Ctx) (string, error) {
	if !strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEMultipartForm) {
		return formValue(c, "text"), nil
	}
	parts, err := c.MultipartForm()
	if err != nil {
		return "", fiber.ErrBadRequest
	}
	if files := parts.File["file"]; len(files) > 0 && files[0].Size > 0 {
		return readUpload(files[0])
	}
	return strings.Join(parts.Value["text"], "\n"), nil
}

func readUpload(header *multipart.FileHeader) (string, error) {
	file, err := header.Open()
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(file)
	return string(text), errors.Join(err, file.Close())
}

// readCSV reads lines of id and name, separated by comma, semicolon or tab,
// quoted or not, with or without a heading. Every line that is not in order is
// named in the form, which also keeps what was typed.
func readCSV(text string) ([]webhook.Item, views.ImportForm) {
	form := views.ImportForm{Text: text}
	if !utf8.ValidString(text) {
		form.Text = strings.ToValidUTF8(text, "�")
		form.Problem = "This list is not in UTF-8. Save it again as “CSV UTF-8”, or paste it here."
		return nil, form
	}
	lines := strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")
	separator := separatorOf(lines)
	seen := map[string]int{}
	var items []webhook.Item
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" || len(seen) == 0 && isHeading(line, separator) {
			continue
		}
		item, problem := readLine(line, separator)
		if first, again := seen[item.ID]; problem == "" && again {
			problem = fmt.Sprintf("The id %s stands on line %d already.", item.ID, first)
		}
		if problem != "" {
			form.Lines = append(form.Lines, views.LineProblem{Line: i + 1, Text: cut(line, maxShownLine), Message: problem})
			continue
		}
		seen[item.ID] = i + 1
		items = append(items, item)
	}
	return items, judge(form, len(items))
}

// judge adds what is wrong with the list as a whole.
func judge(form views.ImportForm, rows int) views.ImportForm {
	switch {
	case len(form.Lines) > maxLineProblems:
		form.Problem = fmt.Sprintf("%d lines are not in order; here are the first %d.", len(form.Lines), maxLineProblems)
		form.Lines = form.Lines[:maxLineProblems]
	case len(form.Lines) > 0:
	case rows == 0:
		form.Problem = "There is nothing in this list. Write one line each: id,name."
	case rows > maxImport:
		form.Problem = fmt.Sprintf("This list has %d rows; import at most %d at once.", rows, maxImport)
	}
	return form
}

func readLine(line string, separator rune) (webhook.Item, string) {
	fields, err := splitLine(line, separator)
	if err != nil {
		return webhook.Item{}, "The quotes on this line do not match. Write a quote inside a name twice."
	}
	if len(fields) == 1 {
		return webhook.Item{}, fmt.Sprintf("A line has two parts, id and name; this one has 1. Write it as %s%cname.", cut(fields[0], 20), separator)
	}
	if len(fields) != 2 {
		return webhook.Item{}, fmt.Sprintf("A line has two parts, id and name; this one has %d. Put quotes around a name with a %s in it.", len(fields), nameOfSeparator[separator])
	}
	item, problems := webhook.CheckItem(webhook.Item{ID: fields[0], Name: fields[1]})
	for _, field := range []string{"id", "name"} {
		if problem := problems[field]; problem != "" {
			return item, problem
		}
	}
	return item, ""
}

func splitLine(line string, separator rune) ([]string, error) {
	r := csv.NewReader(strings.NewReader(line))
	r.Comma, r.TrimLeadingSpace = separator, separator != '\t'
	return r.Read()
}

var nameOfSeparator = map[rune]string{',': "comma", ';': "semicolon", '\t': "tab"}

// separatorOf looks at the first line with something on it: spreadsheets in
// many countries write semicolons, and pasted cells have tabs.
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

func isHeading(line string, separator rune) bool {
	fields, err := splitLine(line, separator)
	return err == nil && len(fields) > 0 && strings.EqualFold(strings.TrimSpace(fields[0]), "id")
}

func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}
