package db

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"bookhook/webhook"
)

// A list is read newest first, page by page, from one index that has its rows in
// the order of their ids. A condition that the index does not cover is a filter
// against which each row is checked; then one request reads a limited number of
// rows, and the page says where it stopped.

// Rows that one request reads: searchRows if each is read from its table,
// indexFactor times as many if the index itself has all columns of the filters.
const (
	searchRows  = 500
	indexFactor = 10
)

// span is a range of ids: from, inclusive, and to, exclusive. Ids ascend with time.
type span struct{ from, to int64 }

// newSpan is the span of a period and a page; zero values leave it open.
func newSpan(since, until time.Time, before, after int64) span {
	s := span{to: math.MaxInt64}
	if !since.IsZero() {
		s.from = int64(webhook.FirstID[webhook.EventID](since))
	}
	if after != 0 {
		s.from = max(s.from, after+1)
	}
	if !until.IsZero() {
		s.to = int64(webhook.FirstID[webhook.EventID](until))
	}
	if before != 0 {
		s.to = min(s.to, before)
	}
	return s
}

// listing is a list of the rows of one table.
type listing struct {
	table, columns string
	span           span
	where          []string // conditions that the index covers
	filters        []string // conditions that each row is checked against; each ? is an argument
	args           []any    // $1 and so on, of where
	filterArgs     []any    // of filters
	limit          int      // rows that one request reads, if there are filters
	stopped        bool     // there are more rows before the span
	ascending      bool     // the oldest first
}

// index adds conditions that the index covers; each ? is the next argument.
func (l *listing) index(condition string, args ...any) {
	l.where = append(l.where, bind(condition, len(l.args)+1))
	l.args = append(l.args, args...)
}

// indexAnyOf adds the condition that a column is one of some ids.
func indexAnyOf[I ~int64](l *listing, column string, ids []I) {
	condition, args := anyOf(column, len(l.args)+1, ids)
	l.where, l.args = append(l.where, condition), append(l.args, args...)
}

// filter adds a condition that each row is checked against. limit is how many rows
// one request may read for it.
func (l *listing) filter(limit int, condition string, args ...any) {
	l.filters, l.filterArgs = append(l.filters, condition), append(l.filterArgs, args...)
	if l.limit == 0 || limit < l.limit {
		l.limit = limit
	}
}

// bind numbers the arguments of a condition, which begin with first.
func bind(condition string, first int) string {
	var text strings.Builder
	for n := first; ; n++ {
		before, rest, found := strings.Cut(condition, "?")
		if !found {
			return text.String() + condition
		}
		fmt.Fprintf(&text, "%s$%d", before, n)
		condition = rest
	}
}

// from is the FROM clause for all rows of the span, or for those that pass the
// filters. Its further arguments are the span, a limit and those of the filters.
func (l *listing) from(filters []string) string {
	n := len(l.args)
	text := fmt.Sprintf(`FROM %s WHERE %s AND id >= $%d AND id < $%d`, l.table, strings.Join(l.where, " AND "), n+1, n+2)
	if len(filters) > 0 {
		text += " AND " + bind(strings.Join(filters, " AND "), n+4)
	}
	return text
}

func (l *listing) pageQuery() string {
	return fmt.Sprintf(`SELECT %s %s %s LIMIT $%d`, l.columns, l.from(l.filters), l.order(), len(l.args)+3)
}

func (l *listing) countQuery() string {
	return fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 %s LIMIT $%d) AS found`, l.from(l.filters), len(l.args)+3)
}

// endQuery selects the first row that is beyond the limit of one request.
func (l *listing) endQuery() string {
	return fmt.Sprintf(`SELECT id %s %s LIMIT 1 OFFSET $%d`, l.from(nil), l.order(), len(l.args)+3)
}

func (l *listing) order() string {
	if l.ascending {
		return `ORDER BY id ASC`
	}
	return `ORDER BY id DESC`
}

// unfiltered are the arguments of a query without filters.
func (l *listing) unfiltered(limit int) []any {
	return append(l.args[:len(l.args):len(l.args)], l.span.from, l.span.to, limit)
}

func (l *listing) arguments(limit int) []any { return append(l.unfiltered(limit), l.filterArgs...) }

// shorten ends the span where the limit of one request is reached, and reports
// whether there are more rows beyond it.
func (l *listing) shorten(ctx context.Context, q querier) (more bool, err error) {
	if len(l.filters) == 0 {
		return l.stopped, nil
	}
	var last int64
	err = queryRow(ctx, q, l.endQuery(), l.unfiltered(l.limit)...).scanOptional(&last)
	switch {
	case err != nil || last == 0:
	case l.ascending:
		l.span.to = last
	default:
		l.span.from = last + 1
	}
	return last != 0 || l.stopped, err
}

// readPage reads one page of a listing, and returns where the next one begins; zero
// if there is none. If a search stopped, next is set although the page is not full.
func readPage[R any](ctx context.Context, q querier, l listing, limit int, scan func(scanner) (R, error), id func(R) int64) (rows []R, next int64, err error) {
	more, err := l.shorten(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	rows, err = list(ctx, q, scan, l.pageQuery(), l.arguments(limit+1)...)
	switch {
	case err != nil:
		return nil, 0, err
	case len(rows) > limit:
		rows = rows[:limit]
		next = id(rows[limit-1])
	case more:
		next = l.span.from
	}
	return rows, next, nil
}

// countRows counts a listing up to webhook.CountCap, and reads no more rows than
// one request may.
func countRows(ctx context.Context, q querier, l listing) (c webhook.Count, err error) {
	more, err := l.shorten(ctx, q)
	if err != nil {
		return c, err
	}
	err = queryRow(ctx, q, l.countQuery(), l.arguments(webhook.CountCap+1)...).Scan(&c.N)
	c.More = more || c.N > webhook.CountCap
	c.N = min(c.N, webhook.CountCap)
	return c, err
}

// beforeOrNewest returns the id below which a page begins: before, or for the first
// page, whose before is zero, the greatest id there is.
func beforeOrNewest[I ~int64](before I) int64 {
	if before == 0 {
		return math.MaxInt64
	}
	return int64(before)
}
