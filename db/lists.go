package db

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"bookhook/webhook"
)

// How far one request searches before it says where it stopped: it looks at
// searchRows rows when each must be read from its table, and at indexFactor
// times as many when an index answers alone.
const (
	searchRows  = 500
	indexFactor = 5
)

// span is a stretch of ids: from on, and below to.
type span struct{ from, to webhook.ID }

// between is the span of a period and a page; ids ascend with time.
func between(since, until time.Time, before, after webhook.ID) span {
	s := span{to: math.MaxInt64}
	if !since.IsZero() {
		s.from = webhook.FirstID(since)
	}
	if after != 0 {
		s.from = max(s.from, after+1)
	}
	if !until.IsZero() {
		s.to = webhook.FirstID(until)
	}
	if before != 0 {
		s.to = min(s.to, before)
	}
	return s
}

// stream is the list of an account's rows, the newest first, as the merge of
// the lists of its owners: the deliveries of its webhooks, or its events, of
// which it is the only owner itself. The list of one owner stands in an index;
// the merge sorts a stretch that has not many more rows than a page.
//
// index is what the index answers. rest is what each row is asked besides; then
// bound is how many rows one request looks at. Both begin with AND and call the
// row x. Every query takes the account as $1, a span as $2 and $3, and a limit
// as $4.
type stream struct {
	table, columns string
	owner          string // the table of the owners, w, and
	owned          string // which of them
	link           string // the column that names the owner
	owners         int    // how many there are
	index, rest    string
	args           []any // $5 and so on: those of index, then
	asked          int   // so many of rest
	bound          int
	few            bool // all rows are so few that they are sorted, whatever the index
}

// param is the number of a further argument.
func (q *stream) param(arg any) int {
	q.args = append(q.args, arg)
	return 4 + len(q.args)
}

// ask adds a condition that each row is asked; its %d is the argument.
func (q *stream) ask(condition string, arg any, bound int) {
	q.rest += " AND " + fmt.Sprintf(condition, q.param(arg))
	q.asked++
	if q.bound == 0 || bound < q.bound {
		q.bound = bound
	}
}

// askType asks for a type as webhook.EventKey writes it.
func (q *stream) askType(key string, bound int) {
	if key == "" {
		return
	}
	platform, eventType, found := strings.Cut(key, ":")
	if !found {
		platform, eventType = webhook.DefaultPlatform, key
	}
	q.ask(`x.type = $%d`, eventType, bound)
	q.ask(`x.platform = $%d`, platform, bound)
}

// merged are the rows of all owners. CROSS JOIN keeps SQLite from walking the
// rows of other accounts.
func (q *stream) merged(rest string) string {
	return `FROM ` + q.owner + ` w CROSS JOIN ` + q.table + ` x WHERE ` + q.owned + ` AND x.` + q.link + ` = w.id
		AND ` + q.spanned() + q.index + rest
}

// spanned bounds the ids. The sign keeps an index in the order of ids from being
// preferred to that of the few.
func (q *stream) spanned() string {
	if q.few {
		return `+x.id >= $2 AND +x.id < $3`
	}
	return `x.id >= $2 AND x.id < $3`
}

// newest selects rows, the newest first. Their ids are found before they are
// read, by an index alone if it answers everything.
func (q *stream) newest() string {
	return `SELECT ` + q.columns + ` FROM ` + q.table + ` WHERE id IN (
		SELECT x.id ` + q.merged(q.rest) + ` ORDER BY x.id DESC LIMIT $4) ORDER BY id DESC`
}

// size counts rows up to a limit.
func (q *stream) size(rest string) string {
	return `SELECT count(*) FROM (SELECT 1 ` + q.merged(rest) + ` LIMIT $4) AS found`
}

// reach selects the newest id, and the highest that has as many newer ones in
// the list of its owner as the limit says; 0 when there is none.
func (q *stream) reach() string {
	each := `SELECT x.id FROM ` + q.table + ` x WHERE x.` + q.link + ` = w.id AND x.id >= $2 AND x.id < $3` + q.index + ` ORDER BY x.id DESC LIMIT 1`
	return `SELECT COALESCE(MAX((` + each + `)), 0), COALESCE(MAX((` + each + ` OFFSET $4)), 0) FROM ` + q.owner + ` w WHERE ` + q.owned
}

// floor is from where on a span has about that many rows, not more, of the
// index alone; the span's own beginning when it has not so many.
func (s *Store) floor(ctx context.Context, account webhook.ID, q *stream, in span, rows int) (webhook.ID, error) {
	indexed := q.args[:len(q.args)-q.asked]
	args := func(from webhook.ID, limit int) []any { return append([]any{account, from, in.to, limit}, indexed...) }
	var newest, floor webhook.ID
	// Every owner has at most its share from there on, so that all have at most rows.
	share := max(rows/q.owners-1, 0)
	if err := s.row(ctx, q.reach(), args(in.from, share)...).Scan(&newest, &floor); err != nil || floor == 0 {
		return in.from, err
	}
	for floor > in.from && q.owners > 1 { // of one owner it is that exactly
		wider := max(floor-(newest-floor)-1, in.from)
		var n int
		if err := s.row(ctx, q.size(""), args(wider, rows+1)...).Scan(&n); err != nil || n > rows {
			return floor, err
		}
		floor = wider
		if 2*n > rows {
			break
		}
	}
	return floor, nil
}

// page reads one page of a stream. What an index answers is read until the page
// is full; else the page ends where the search does.
func page[R any](ctx context.Context, s *Store, account webhook.ID, q *stream, in span, limit int, scan func(scanner) (R, error), id func(R) webhook.ID) (p webhook.Page[R], err error) {
	if q.owners == 0 {
		return p, nil
	}
	floor := in.from
	for look := cmp.Or(q.bound, 4*max(limit, q.owners)); ; look *= 8 {
		if !q.few && (q.bound > 0 || q.owners > 1) {
			if floor, err = s.floor(ctx, account, q, in, look); err != nil {
				return p, err
			}
		}
		p.Rows, err = list(ctx, s, scan, q.newest(), append([]any{account, floor, in.to, limit + 1}, q.args...)...)
		if err != nil || len(p.Rows) > limit || floor == in.from || q.bound > 0 {
			break
		}
	}
	if len(p.Rows) > limit {
		p.Rows = p.Rows[:limit]
		p.Next = id(p.Rows[limit-1])
	} else if floor > in.from {
		p.Next = floor
	}
	return p, err
}

// count counts a stream up to webhook.CountCap, and no further than a search
// goes.
func (s *Store) count(ctx context.Context, account webhook.ID, q *stream, in span) (c webhook.Count, err error) {
	if q.owners == 0 {
		return c, nil
	}
	floor := in.from
	if q.bound > 0 && !q.few {
		if floor, err = s.floor(ctx, account, q, in, q.bound); err != nil {
			return c, err
		}
	}
	args := append([]any{account, floor, in.to, webhook.CountCap + 1}, q.args...)
	err = s.row(ctx, q.size(q.rest), args...).Scan(&c.N)
	c.More = c.N > webhook.CountCap || floor > in.from
	c.N = min(c.N, webhook.CountCap)
	return c, err
}
