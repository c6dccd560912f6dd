package reconcile

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"

	"bookhook/webhook"
)

// What is read of a list to guess its columns.
const (
	firstRows  = 100   // all of them
	everyRow   = 50    // one in so many behind them
	sampleRows = 5_000 // rows in all
	maxSampled = 1024  // bytes of a cell, longer than any reference
	shownRows  = 5     // that people see
	shownCell  = 60    // characters of a cell that they see
	knownBatch = 500   // references that are looked up at once
)

// sample is what was read of a list.
type sample struct {
	rows    [][]string
	columns int
}

func readSample(ctx context.Context, t table) (s sample, err error) {
	n := 0
	err = t.each(ctx, func(cells []string) error {
		if n++; n <= firstRows || n%everyRow == 0 {
			s.rows = append(s.rows, beginnings(cells))
			s.columns = max(s.columns, len(cells))
		}
		if n == sampleRows {
			return errEnough
		}
		return nil
	})
	if err == nil && len(s.rows) == 0 {
		err = problem("reconcile.empty")
	}
	return s, err
}

// beginnings copies cells, of which the long ones would take more than fits into memory.
func beginnings(cells []string) []string {
	copied := make([]string, len(cells))
	for i, cell := range cells {
		copied[i] = strings.Clone(cell[:min(len(cell), maxSampled)])
	}
	return copied
}

func (s sample) cell(row, column int) string {
	if column < len(s.rows[row]) {
		return s.rows[row][column]
	}
	return ""
}

// Inspect reads the beginning of a list and guesses the column that has references: the
// one with the most values that are bookings of the account; else one whose name says
// so; else one in which most values differ. It returns webhook.Invalid with the field
// "file" for a list that cannot be read, and webhook.LimitReached while too many others
// are inspected.
func (r *Reconciler) Inspect(ctx context.Context, u webhook.Upload) (webhook.UploadColumns, error) {
	end := r.inspecting.Take(u.Account)
	if end == nil {
		return webhook.UploadColumns{}, errTurn
	}
	defer end()
	t, err := r.open(ctx, u)
	if err != nil {
		return webhook.UploadColumns{}, err
	}
	s, err := readSample(ctx, t)
	if err != nil {
		return webhook.UploadColumns{}, err
	}
	c := webhook.UploadColumns{All: make([]webhook.UploadColumn, s.columns)}
	best, most := -1, 0
	for i := range c.All {
		values := s.values(i)
		known, err := r.known(ctx, u.Account, values)
		if err != nil {
			return webhook.UploadColumns{}, err
		}
		c.All[i] = s.column(i, known)
		if points := s.points(i, values, known); points > most {
			best, most = i, points
		}
	}
	c.Chosen = max(best, 0)
	c.Header = s.header(c.Chosen)
	return c, nil
}

func (s sample) column(i, known int) webhook.UploadColumn {
	c := webhook.UploadColumn{First: webhook.Truncate(s.cell(0, i), shownCell), Known: known}
	for row := 1; row < len(s.rows) && len(c.Values) < shownRows; row++ {
		if cell := strings.TrimFunc(s.cell(row, i), isBlank); cell != "" {
			c.Values = append(c.Values, webhook.Truncate(cell, shownCell))
		}
	}
	return c
}

// values are the references that a column may have, each once.
func (s sample) values(i int) (values []string) {
	seen := map[string]bool{}
	for row := range s.rows {
		text := Clean(s.cell(row, i))
		if key := Key(text); !seen[key] && isReference(text) {
			seen[key] = true
			values = append(values, text)
		}
	}
	return values
}

// points says how likely a column has the references: bookings that are known before
// names, and names before values.
func (s sample) points(i int, values []string, known int) int {
	points := known * 1_000_000
	if named := nameWords(s.cell(0, i)); named > 0 {
		points += named * 10_000
	}
	for _, v := range values {
		if hasDigit(v) && !strings.ContainsAny(v, "@:/") {
			points++
		}
	}
	return points
}

// nameWords says how much the name of a column sounds like that of a reference.
func nameWords(name string) int {
	name = strings.ToLower(name)
	for i, words := range [][]string{{"booking", "reference", "reservation"}, {"ref", "order", "confirmation"}, {"number", "id", "no.", "nr"}} {
		for _, word := range words {
			if strings.Contains(name, word) {
				return 3 - i
			}
		}
	}
	return 0
}

func hasDigit(text string) bool { return strings.ContainsFunc(text, unicode.IsDigit) }

// header reports whether the first row names the columns: no cell of it has a digit,
// although values below do.
func (s sample) header(column int) bool {
	if len(s.rows) < 2 || slices.ContainsFunc(s.rows[0], hasDigit) {
		return false
	}
	for row := 1; row < len(s.rows); row++ {
		if hasDigit(s.cell(row, column)) {
			return true
		}
	}
	return nameWords(s.cell(0, column)) > 0
}

// known counts the references that are bookings of an account.
func (r *Reconciler) known(ctx context.Context, account webhook.AccountID, references []string) (n int, err error) {
	for batch := range slices.Chunk(references, knownBatch) {
		var texts []string
		for _, reference := range batch {
			texts = append(texts, spellings(reference)...)
		}
		found, err := r.store.KnownBookings(ctx, account, texts)
		if err != nil {
			return n, err
		}
		keys := map[string]bool{}
		for _, booking := range found {
			keys[Key(booking)] = true
		}
		for _, reference := range batch {
			if keys[Key(reference)] {
				n++
			}
		}
	}
	return n, nil
}

// open opens the list of an upload.
func (r *Reconciler) open(ctx context.Context, u webhook.Upload) (table, error) {
	t, err := openTable(ctx, newFile(ctx, r.store, u).reader())
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = problem("reconcile.broken")
	}
	return t, err
}
