package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"bookhook/db/group"
	"bookhook/stats"
	"bookhook/webhook"
)

// What happens is counted in two steps (package stats): each group of writes adds one
// row to count_log, and FoldCounts adds those rows to the counts of the hours.

// beginGroup forgets what the writes of the group before counted and announced.
func (s *Store) beginGroup() { s.counted, s.announced, s.stale = s.counted[:0], s.announced[:0], false }

// endGroup returns the statements that store and announce what the writes of a group
// recorded for it.
func (s *Store) endGroup() (last []*group.Statement) {
	if len(s.counted) > 0 {
		last = append(last, &group.Statement{Query: `INSERT INTO count_log (id, entries) VALUES ($1, $2)`, Args: []any{s.nextID(), []byte(s.counted)}})
	}
	return append(last, s.engine.Announce(s.announcedToOthers(), s.stale)...)
}

// countAttempt counts an attempt whose result is stored.
func countAttempt(tx transaction, r webhook.Result, givenUp bool) {
	if r.Again || r.Test {
		return
	}
	a := r.Attempt
	tx.counted.Attempt(stats.Attempt{
		Account: r.Account, Webhook: r.Webhook, StartedAt: a.StartedAt, Reason: stats.ReasonOf(a.Outcome()), GivenUp: givenUp && !r.Inline, Own: r.Own,
		Responded: a.Status != 0, Duration: a.Duration,
	})
}

// Limits of one FoldCounts, so that other writes wait for some milliseconds only.
const (
	maxFoldedRows  = 4096
	maxFoldedHours = 2048
)

// FoldCounts adds a part of the log to the counts of the hours, and reports whether
// there is more. Several processes may call it: of two at the same time, one does
// nothing.
func (s *Store) FoldCounts(ctx context.Context) (more bool, err error) {
	f, err := s.readFold(ctx)
	if err != nil || len(f.rows) == 0 {
		return false, err
	}
	err = s.write(ctx, func(tx transaction) error {
		for _, id := range f.rows {
			n, err := tx.Exec(ctx, `DELETE FROM count_log WHERE id = $1`, id)
			if err == nil && n == 0 {
				err = webhook.ErrConflict
			}
			if err != nil {
				return err
			}
		}
		return f.store(ctx, tx)
	})
	if errors.Is(err, webhook.ErrConflict) { // another process was first
		return true, nil
	}
	return f.more, err
}

// fold is what one FoldCounts does: rows of the log, and the counts with them added.
type fold struct {
	rows  []int64
	hours *stats.Hours
	more  bool
}

func (s *Store) readFold(ctx context.Context) (*fold, error) {
	var some bool
	err := queryRow(ctx, s.engine, `SELECT CASE WHEN EXISTS (SELECT 1 FROM count_log) THEN 1 ELSE 0 END`).Scan(&some)
	if err != nil || !some {
		return &fold{}, err
	}
	zones, err := s.zones(ctx)
	if err != nil {
		return nil, err
	}
	f := &fold{hours: stats.NewHours(zones)}
	rows, err := s.engine.Query(ctx, `SELECT id, entries FROM count_log ORDER BY id LIMIT $1`, maxFoldedRows)
	if err != nil {
		return nil, unavailable(s.engine, err)
	}
	defer rows.Close()
	for !f.more && rows.Next() {
		var id int64
		var entries sql.RawBytes
		if err := rows.Scan(&id, &entries); err != nil {
			return nil, unavailable(s.engine, err)
		}
		if err := stats.Log(entries).Read(0, f.hours.Attempt, f.hours.Event); err != nil {
			return nil, fmt.Errorf("row %d of count_log: %w", id, err)
		}
		f.rows = append(f.rows, id)
		f.more = len(f.rows) == maxFoldedRows || f.hours.Len() >= maxFoldedHours
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, unavailable(s.engine, err)
	}
	return f, errors.Join(s.addStored(ctx, f.hours), s.boundChannels(ctx, f.hours))
}

// boundChannels keeps each account from having more than stats.MaxChannels in an hour.
func (s *Store) boundChannels(ctx context.Context, hours *stats.Hours) error {
	type accountHour struct {
		account webhook.AccountID
		hour    int64
	}
	all := map[accountHour]bool{}
	for key := range hours.Events {
		if key.Channel != "" {
			all[accountHour{key.Account, key.Hour}] = true
		}
	}
	for of := range all {
		counted := map[stats.EventKey]bool{}
		err := s.readCounts(ctx, func(r scanner) error {
			key := stats.EventKey{Account: of.account, Hour: of.hour}
			err := r.Scan(&key.Platform, &key.Channel)
			counted[key] = true
			return err
		}, `SELECT platform, channel_id FROM event_counts WHERE account_id = $1 AND hour = $2 AND channel_id <> ''`, of.account, of.hour)
		if err != nil {
			return err
		}
		hours.Bound(of.account, of.hour, counted)
	}
	return nil
}

// addStored adds what is stored of the hours. Only FoldCounts changes that, and it
// does so only with rows of the log that are still there.
func (s *Store) addStored(ctx context.Context, hours *stats.Hours) error {
	for key, counts := range hours.Attempts {
		var stored []byte
		err := queryRow(ctx, s.engine, `SELECT counts FROM attempt_counts WHERE account_id = $1 AND webhook_id = $2 AND hour = $3`,
			key.Account, key.Webhook, key.Hour).scanOptional(&stored)
		if err == nil && stored != nil {
			err = counts.Decode(stored)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *fold) store(ctx context.Context, tx transaction) error {
	for key, counts := range f.hours.Attempts {
		_, err := tx.Exec(ctx, `INSERT INTO attempt_counts (account_id, webhook_id, hour, counts) VALUES ($1, $2, $3, $4)
			ON CONFLICT (account_id, webhook_id, hour) DO UPDATE SET counts = excluded.counts`, key.Account, key.Webhook, key.Hour, counts.Encode())
		if err != nil {
			return err
		}
	}
	for key, events := range f.hours.Events {
		_, err := tx.Exec(ctx, `INSERT INTO event_counts (account_id, hour, platform, channel_id, events) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (account_id, hour, platform, channel_id) DO UPDATE SET events = event_counts.events + excluded.events`,
			key.Account, key.Hour, key.Platform, key.Channel, events)
		if err != nil {
			return err
		}
	}
	return nil
}

// zones returns the time zones of all accounts.
func (s *Store) zones(ctx context.Context) (func(webhook.AccountID) *time.Location, error) {
	all := map[webhook.AccountID]*time.Location{}
	byName := map[string]*time.Location{}
	accounts, err := list(ctx, s.engine, func(r scanner) (a webhook.Account, err error) {
		return a, r.Scan(&a.ID, &a.TimeZone)
	}, `SELECT id, time_zone FROM accounts`)
	for _, a := range accounts {
		if byName[a.TimeZone] == nil {
			byName[a.TimeZone] = a.Location()
		}
		all[a.ID] = byName[a.TimeZone]
	}
	return func(id webhook.AccountID) *time.Location {
		if zone := all[id]; zone != nil {
			return zone
		}
		return time.UTC
	}, err
}

// pruneCounts deletes counts of hours that are long past.
func pruneCounts(now time.Time, batch int) []statement {
	args := []any{toMillis(now.Add(-stats.Kept)), batch}
	return []statement{
		{`DELETE FROM attempt_counts WHERE (account_id, webhook_id, hour) IN
			(SELECT account_id, webhook_id, hour FROM attempt_counts WHERE hour < $1 ORDER BY hour LIMIT $2)`, args},
		{`DELETE FROM event_counts WHERE (account_id, hour, platform, channel_id) IN
			(SELECT account_id, hour, platform, channel_id FROM event_counts WHERE hour < $1 ORDER BY hour LIMIT $2)`, args},
	}
}
