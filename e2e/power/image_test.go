package power

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// promises is what had been said and heard by the moment of a cut.
type promises struct {
	marks []mark
	heard map[string]int  // by delivery and number: the status
	asked map[string]bool // deliveries for which a replay was asked
}

// promises are those of the recording before the moment.
func (tp *tape) promises(moment int) promises {
	p := promises{heard: map[string]int{}, asked: map[string]bool{}}
	n, _ := slices.BinarySearchFunc(tp.marks, moment, func(m mark, at int) int { return m.at - at })
	p.marks = tp.marks[:n]
	for _, m := range p.marks {
		switch m.kind {
		case heard:
			p.heard[attempt(m.id, m.number)] = m.status
		case asked:
			p.asked[m.id] = true
		}
	}
	return p
}

// keeps opens an image as serve does after a power cut, and returns what is wrong with it.
func (p promises) keeps(ctx context.Context, folder string) (problems []string) {
	now := time.Now()
	path := filepath.Join(folder, "bookhook.db")
	store, err := db.Create(ctx, path, nil)
	if err != nil {
		return []string{"it does not open: " + err.Error()}
	}
	defer store.Close()
	if err := store.RecoverClaims(ctx, webhook.AllShards, now); err != nil {
		return []string{"claims are not recovered: " + err.Error()}
	}
	pool, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return []string{err.Error()}
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	v := look(ctx, pool)
	if len(v.problems) == 0 {
		p.compare(v)
		v.waits(now)
		v.goesOn(store, now)
	}
	return v.problems
}

// view is what an opened image shows.
type view struct {
	ctx      context.Context
	pool     *sql.DB
	problems []string

	accounts         map[string]bool // by their numbers
	events, webhooks map[string]bool
	deliveries       map[string]row
	attempts         map[string]int // by delivery and number: the status
}

type row struct {
	webhook  webhook.WebhookID
	event    string
	state    string
	attempts int
}

// look reads an image, and checks that it is sound.
func look(ctx context.Context, pool *sql.DB) *view {
	v := &view{ctx: ctx, pool: pool}
	v.sound()
	v.read()
	return v
}

func (v *view) wrong(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// each calls scan for every row.
func (v *view) each(query string, scan func(*sql.Rows) error, args ...any) {
	rows, err := v.pool.QueryContext(v.ctx, query, args...)
	if err != nil {
		v.wrong("%s: %v", query, err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			v.wrong("%s: %v", query, err)
		}
	}
	if err := rows.Err(); err != nil {
		v.wrong("%s: %v", query, err)
	}
}

// sound has SQLite check every page, index and reference.
func (v *view) sound() {
	v.each(`PRAGMA integrity_check`, func(r *sql.Rows) error {
		var finding string
		err := r.Scan(&finding)
		if err == nil && finding != "ok" {
			v.wrong("integrity: %s", finding)
		}
		return err
	})
	v.each(`PRAGMA foreign_key_check`, func(*sql.Rows) error {
		v.wrong("a reference leads nowhere")
		return nil
	})
}

func (v *view) read() {
	v.accounts, v.events, v.webhooks = map[string]bool{}, map[string]bool{}, map[string]bool{}
	v.deliveries, v.attempts = map[string]row{}, map[string]int{}
	v.each(`SELECT number FROM accounts`, func(r *sql.Rows) error {
		var number string
		err := r.Scan(&number)
		v.accounts[number] = true
		return err
	})
	v.each(`SELECT id FROM webhooks`, func(r *sql.Rows) error {
		var id webhook.WebhookID
		err := r.Scan(&id)
		v.webhooks[id.String()] = true
		return err
	})
	v.each(`SELECT id FROM events`, func(r *sql.Rows) error {
		var id webhook.EventID
		err := r.Scan(&id)
		v.events[id.String()] = true
		return err
	})
	v.each(`SELECT id, event_id, webhook_id, state, attempts FROM deliveries`, func(r *sql.Rows) error {
		var id webhook.DeliveryID
		var event webhook.EventID
		var d row
		err := r.Scan(&id, &event, &d.webhook, &d.state, &d.attempts)
		d.event = event.String()
		v.deliveries[id.String()] = d
		return err
	})
	v.each(`SELECT delivery_id, number, status FROM attempts`, func(r *sql.Rows) error {
		var id webhook.DeliveryID
		var number, status int
		err := r.Scan(&id, &number, &status)
		v.attempts[attempt(id.String(), number)] = status
		return err
	})
}

func attempt(delivery string, number int) string { return fmt.Sprint(delivery, "#", number) }

// compare looks for broken promises.
func (p promises) compare(v *view) {
	for _, m := range p.marks {
		d, there := v.deliveries[m.id]
		switch m.kind {
		case taken:
			if !v.events[m.id] {
				v.wrong("event %s was answered and is lost", m.id)
			}
			for _, id := range m.children {
				if v.deliveries[id].event != m.id {
					v.wrong("delivery %s of the answered event %s is lost", id, m.id)
				}
			}
		case added:
			if !v.accounts[m.id] {
				v.wrong("account %s was added and is lost", m.id)
			}
		case created:
			if !v.webhooks[m.id] {
				v.wrong("webhook %s was answered and is lost", m.id)
			}
		case sent:
			if !there || d.attempts < m.number || !v.events[d.event] {
				v.wrong("attempt %d of %s was sent, the image has %+v", m.number, m.id, d)
			}
		case replayed:
			if !there || d.state != "pending" && d.attempts <= m.number {
				v.wrong("replay of %s after attempt %d was answered and is lost: %+v", m.id, m.number, d)
			}
		case shown:
			if !there || d.attempts < m.number || m.state != "pending" && d.attempts == m.number && d.state == "pending" && !p.asked[m.id] {
				v.wrong("delivery %s was shown as %s after attempt %d, the image has %+v", m.id, m.state, m.number, d)
			}
		case heard, asked: // see inventions
		}
	}
	p.inventions(v)
}

// inventions are deliveries and answers in the log that never were.
func (p promises) inventions(v *view) {
	delivered := map[string]bool{}
	for key, status := range v.attempts {
		if status == 0 {
			continue // it got no answer
		}
		if p.heard[key] != status {
			v.wrong("the log has status %d for attempt %s, the receiver answered %d", status, key, p.heard[key])
		}
	}
	for _, m := range p.marks {
		if m.kind == heard && m.status < 300 {
			delivered[m.id] = true
		}
	}
	for id, d := range v.deliveries {
		if d.state == "delivered" && !delivered[id] {
			v.wrong("delivery %s is delivered, and no receiver took it", id)
		}
	}
}
