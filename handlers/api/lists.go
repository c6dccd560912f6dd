package api

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

// Bounds of a list.
const (
	defaultPageLimit = 50
	maxPageLimit     = 200
)

// query is the query of a list. What is wrong with it is in problems under the
// parameter's name; a parameter that is empty counts as missing.
type query struct {
	values   map[string]string
	limit    int
	problems webhook.Invalid
}

// readQuery reads the query of a list that takes these parameters, beside
// limit and cursor. Others are refused.
func readQuery(c *fiber.Ctx, names ...string) *query {
	q := &query{values: map[string]string{}, limit: defaultPageLimit, problems: webhook.Invalid{}}
	names = append(names, "limit", "cursor")
	c.Context().QueryArgs().VisitAll(func(key, value []byte) {
		name := string(key)
		switch _, twice := q.values[name]; {
		case !slices.Contains(names, name):
			q.wrong(webhook.Truncate(name, web.MaxQuoted), "There is no such parameter here. Known: %s.", strings.Join(names, ", "))
		case twice:
			q.wrong(name, "Send this parameter once.")
		}
		q.values[name] = string(value)
	})
	if value := q.values["limit"]; value != "" {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxPageLimit {
			q.wrong("limit", "Send a number from 1 to %d.", maxPageLimit)
		}
		q.limit = n
	}
	return q
}

func (q *query) wrong(name, format string, args ...any) {
	if len(q.problems) < web.MaxProblems {
		q.problems.Add(name, format, args...)
	}
}

// ref reads an id of the booking system.
func (q *query) ref(name string) string {
	value := q.values[name]
	if problem := webhook.CheckRef(value); problem != "" {
		q.wrong(name, "%s", problem)
	}
	return value
}

// id reads an id that Bookhook made; 0 when there is none.
func (q *query) id(name, prefix string) webhook.ID {
	value := q.values[name]
	if value == "" {
		return 0
	}
	id, err := webhook.ParseID(prefix, value)
	switch {
	case err != nil && name == "cursor":
		q.wrong(name, "Send the next_cursor of the page before, as it is.")
	case err != nil:
		q.wrong(name, "This is not such an id; it begins with %s_ and has 13 characters after that.", prefix)
	}
	return id
}

func (q *query) time(name string) time.Time {
	value := q.values[name]
	if value == "" {
		return time.Time{}
	}
	at, problem := web.ReadTime(value)
	if problem != "" {
		q.wrong(name, "%s", problem)
	}
	return at
}

// eventKey reads an event type as webhooks select it.
func (q *query) eventKey(name string, known func(key string) bool) string {
	value := q.values[name]
	if value != "" && !known(value) {
		q.wrong(name, "There is no event “%s”. Check the spelling.", webhook.Quote(value, web.MaxQuoted))
	}
	return value
}

func (q *query) state(name string) webhook.State {
	value := webhook.State(q.values[name])
	if value != "" && !slices.Contains(webhook.States, value) {
		q.wrong(name, "Send one of: %s.", webhook.JoinText(webhook.States, func(s webhook.State) string { return string(s) }))
	}
	return value
}

// listJSON is a page of a list; Next is "" on the last one.
type listJSON[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next_cursor"`
}

// listOf makes a page of rows, of which there is one more than limit when
// there is another page. cursor is where the page behind a row begins.
func listOf[R, T any](rows []R, limit int, cursor func(R) string, show func(R) T) listJSON[T] {
	page := listJSON[T]{Items: make([]T, 0, min(len(rows), limit))}
	if len(rows) > limit {
		rows = rows[:limit]
		page.Next = cursor(rows[limit-1])
	}
	for _, row := range rows {
		page.Items = append(page.Items, show(row))
	}
	return page
}

// pageOf shows a page of a log; one that was searched can have a next one
// although it is not full.
func pageOf[R, T any](found webhook.Page[R], prefix string, show func(R) T) listJSON[T] {
	page := listJSON[T]{Items: make([]T, 0, len(found.Rows))}
	if found.Next != 0 {
		page.Next = found.Next.Text(prefix)
	}
	for _, row := range found.Rows {
		page.Items = append(page.Items, show(row))
	}
	return page
}

// behind is the part of a list that comes after a cursor, in the order of it.
func behind[R any](rows []R, after string, cursor func(R) string) []R {
	rows = slices.DeleteFunc(rows, func(r R) bool { return cursor(r) <= after })
	slices.SortFunc(rows, func(a, b R) int { return strings.Compare(cursor(a), cursor(b)) })
	return rows
}
