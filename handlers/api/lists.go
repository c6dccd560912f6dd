package api

import (
	"encoding"
	"fmt"
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

// query is the query of a list. Its problems are in problems, by parameter; an empty
// parameter counts as missing.
type query struct {
	values   map[string]string
	limit    int
	problems webhook.Invalid
}

// readQuery reads the query of a list that has these parameters, besides limit and
// cursor. Others are refused.
func readQuery(c *fiber.Ctx, names ...string) *query {
	q := readParameters(c, append(names, "limit", "cursor")...)
	if value := q.values["limit"]; value != "" {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxPageLimit {
			q.wrong("limit", "query.number", 1, maxPageLimit)
		}
		q.limit = n
	}
	return q
}

// readParameters reads the query of a list that is sent as a whole. Other parameters than
// these are refused.
func readParameters(c *fiber.Ctx, names ...string) *query {
	q := &query{values: map[string]string{}, limit: defaultPageLimit, problems: webhook.Invalid{}}
	for key, value := range c.Context().QueryArgs().All() {
		name := string(key)
		switch _, twice := q.values[name]; {
		case !slices.Contains(names, name):
			q.wrong(webhook.Truncate(name, web.MaxQuoted), "query.unknown", strings.Join(names, ", "))
		case twice:
			q.wrong(name, "query.twice")
		}
		q.values[name] = string(value)
	}
	return q
}

// NoQuery is a guard: it refuses the parameters of a request that has none.
func NoQuery(c *fiber.Ctx) error {
	q := &query{problems: webhook.Invalid{}}
	for key := range c.Context().QueryArgs().All() {
		q.wrong(webhook.Truncate(string(key), web.MaxQuoted), "query.none")
	}
	if err := q.problems.Err(); err != nil {
		return err
	}
	return c.Next()
}

func (q *query) wrong(name, code string, args ...any) {
	q.wrongMessage(name, webhook.NewMessage(code, args...))
}

// wrongMessage adds a problem of a parameter, unless the message is zero.
func (q *query) wrongMessage(name string, problem webhook.Message) {
	if !problem.IsZero() && len(q.problems) < web.MaxProblems {
		q.problems.AddMessage(name, problem)
	}
}

// ref reads an id of the booking system.
func (q *query) ref(name string) string {
	value := q.values[name]
	q.wrongMessage(name, webhook.CheckRef(value))
	return value
}

// queryID reads an id of Bookhook; zero if it is missing.
func queryID[I any, P interface {
	*I
	encoding.TextUnmarshaler
	fmt.Stringer
}](q *query, name string) (id I) {
	err := P(&id).UnmarshalText([]byte(q.values[name]))
	switch {
	case err != nil && name == "cursor":
		q.wrong(name, "query.cursor")
	case err != nil:
		prefix, _, _ := strings.Cut(P(&id).String(), "_")
		q.wrong(name, "query.id", prefix)
	}
	return id
}

func (q *query) time(name string) time.Time {
	value := q.values[name]
	if value == "" {
		return time.Time{}
	}
	at, problem := web.ReadTime(value)
	q.wrongMessage(name, problem)
	return at
}

// eventKey reads an event type as webhooks select it.
func (q *query) eventKey(name string, known func(key string) bool) string {
	value := q.values[name]
	if value != "" && !known(value) {
		q.wrong(name, "query.event", webhook.Quote(value, web.MaxQuoted))
	}
	return value
}

func (q *query) state(name string) webhook.State {
	value := webhook.State(q.values[name])
	if value != "" && !slices.Contains(webhook.States, value) {
		q.wrong(name, "query.one_of", webhook.JoinText(webhook.States, func(s webhook.State) string { return string(s) }))
	}
	return value
}

// sent reads whether events are to have been sent.
func (q *query) sent(name string) webhook.Sent {
	value := webhook.Sent(q.values[name])
	if value != "" && value != webhook.SentToSome && value != webhook.SentToNobody {
		q.wrong(name, "query.one_of", "true, false")
	}
	return value
}

// listJSON is a page of a list; Next is "" on the last one.
type listJSON[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next_cursor"`
}

// listOf returns a page of rows; if there is one more than limit, there is another
// page. cursor returns where the page after a row begins.
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

// pageOf returns a page of a log. If a search stopped, it can have a next page
// although it is not full.
func pageOf[R, T any](rows []R, next string, show func(R) T) listJSON[T] {
	page := listJSON[T]{Items: make([]T, 0, len(rows)), Next: next}
	for _, row := range rows {
		page.Items = append(page.Items, show(row))
	}
	return page
}

// sortedAfter sorts a list by cursor, and returns the part after a cursor.
func sortedAfter[R any](rows []R, after string, cursor func(R) string) []R {
	rows = slices.DeleteFunc(rows, func(r R) bool { return cursor(r) <= after })
	slices.SortFunc(rows, func(a, b R) int { return strings.Compare(cursor(a), cursor(b)) })
	return rows
}
