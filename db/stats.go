package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"

	"bookhook/stats"
	"bookhook/webhook"
)

// WebhookStats reports the attempts of a webhook, by the clock of its account.
func (s *Store) WebhookStats(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, p stats.Period, now time.Time) (*stats.Report, error) {
	if _, err := s.Webhook(ctx, account, id); err != nil {
		return nil, err
	}
	return s.accountReport(ctx, account, id, p, now)
}

// AccountStats reports the attempts of all webhooks of an account, deleted ones
// included.
func (s *Store) AccountStats(ctx context.Context, account webhook.AccountID, p stats.Period, now time.Time) (*stats.Report, error) {
	return s.accountReport(ctx, account, 0, p, now)
}

// InstanceStats reports the attempts of all accounts, in UTC.
func (s *Store) InstanceStats(ctx context.Context, p stats.Period, now time.Time) (*stats.Report, error) {
	return s.report(ctx, stats.AttemptKey{}, stats.NewReport(p, now, time.UTC))
}

func (s *Store) accountReport(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, p stats.Period, now time.Time) (*stats.Report, error) {
	a, err := s.Account(ctx, account)
	if err != nil {
		return nil, err
	}
	return s.report(ctx, stats.AttemptKey{Account: account, Webhook: id}, stats.NewReport(p, now, a.Location()))
}

func (s *Store) report(ctx context.Context, of stats.AttemptKey, r *stats.Report) (*stats.Report, error) {
	of.Hour = r.Since().UnixMilli()
	err := s.readHours(ctx, of, func(hour time.Time, counts *stats.Counts) {
		if bucket := r.At(hour); bucket != nil {
			bucket.Add(counts)
		}
	}, func(a stats.Attempt) {
		if bucket := r.At(a.StartedAt); bucket != nil {
			bucket.Count(a)
		}
	})
	r.Sum()
	return r, err
}

// storedAttempts selects the counts of hours under a condition, each with whose they are
// (a column), and the log, which is of ofLog: as few columns as will do, since there are
// thousands of rows.
const (
	storedAttempts = `SELECT %s, hour, counts FROM attempt_counts WHERE %s UNION ALL SELECT -1, 0, entries FROM count_log`
	ofLog          = -1
)

// readHours calls stored for the hours from that of the key on, and inLog for the
// attempts that are in the log only, also older ones; both are of one moment.
func (s *Store) readHours(ctx context.Context, from stats.AttemptKey, stored func(hour time.Time, counts *stats.Counts), inLog func(stats.Attempt)) error {
	decode := func(_, hour int64, encoded []byte) error {
		var counts stats.Counts
		err := counts.Decode(encoded)
		stored(fromMillis(hour), &counts)
		return err
	}
	return s.readAttempts(ctx, from.Account, decode, func(a stats.Attempt) {
		if from.Webhook == 0 && !a.Own || from.Webhook == a.Webhook {
			inLog(a)
		}
	}, fmt.Sprintf(storedAttempts, `0`, `account_id = $1 AND webhook_id = $2 AND hour >= $3`), from.Account, from.Webhook, from.Hour)
}

// readAttempts calls stored for the encoded counts that a query with storedAttempts finds,
// with whose they are and of which hour, and inLog for the attempts of the account, of all
// accounts for 0, that it finds in the log.
func (s *Store) readAttempts(ctx context.Context, account webhook.AccountID, stored func(of, hour int64, encoded []byte) error, inLog func(stats.Attempt), query string, args ...any) error {
	return s.readCounts(ctx, func(r scanner) error {
		var of, hour int64
		var encoded sql.RawBytes // not copied: it is read before the next row
		if err := r.Scan(&of, &hour, &encoded); err != nil {
			return err
		}
		if of == ofLog {
			return stats.Log(encoded).Read(account, inLog, func(stats.Event) {})
		}
		return stored(of, hour, encoded)
	}, query, args...)
}

// readCounts calls read for each row.
func (s *Store) readCounts(ctx context.Context, read func(scanner) error, query string, args ...any) error {
	_, err := list(ctx, s.engine, func(r scanner) (struct{}, error) { return struct{}{}, read(r) }, query, args...)
	return err
}

// Sparklines returns what each of the webhooks did in the last days of the account's
// clock.
func (s *Store) Sparklines(ctx context.Context, account webhook.AccountID, ids []webhook.WebhookID, now time.Time) (map[webhook.WebhookID]*stats.Sparkline, error) {
	a, err := s.Account(ctx, account)
	if err != nil {
		return nil, err
	}
	return inHalves(ids, func(some []webhook.WebhookID) (map[webhook.WebhookID]*stats.Sparkline, error) {
		lines, since := map[webhook.WebhookID]*stats.Sparkline{}, now
		for _, id := range some {
			lines[id] = stats.NewSparkline(now, a.Location())
			since = lines[id].Since()
		}
		its, args := anyOf("webhook_id", 3, some)
		query := fmt.Sprintf(storedAttempts, `webhook_id`, `account_id = $1 AND hour >= $2 AND `+its)
		err := s.readAttempts(ctx, account, func(of, hour int64, encoded []byte) error {
			if line := lines[webhook.WebhookID(of)]; line != nil {
				return line.Decode(fromMillis(hour), encoded)
			}
			return nil
		}, func(a stats.Attempt) {
			if line := lines[a.Webhook]; line != nil {
				line.Count(a)
			}
		}, query, append([]any{account, since.UnixMilli()}, args...)...)
		return lines, err
	})
}

// inHalves reads something of both halves of all at the same time: sparklines are made of
// thousands of rows.
func inHalves[I any, K comparable, V any](all []I, read func([]I) (map[K]V, error)) (map[K]V, error) {
	if len(all) < 2 {
		return read(all)
	}
	var other map[K]V
	var failed error
	done := make(chan struct{})
	go func() {
		defer close(done)
		other, failed = read(all[:len(all)/2])
	}()
	found, err := read(all[len(all)/2:])
	<-done
	if err = errors.Join(err, failed); err == nil {
		maps.Copy(found, other)
	}
	return found, err
}

// ofAccounts is the condition of AccountSparklines, but for which accounts: anyOf fills
// their list with 0, which is the whole instance.
const ofAccounts = `webhook_id = 0 AND hour >= $1 AND account_id <> 0 AND `

// AccountSparklines returns what all webhooks of each of the accounts did in the last
// days of its clock.
func (s *Store) AccountSparklines(ctx context.Context, accounts []webhook.Account, now time.Time) (map[webhook.AccountID]*stats.Sparkline, error) {
	return inHalves(accounts, func(some []webhook.Account) (map[webhook.AccountID]*stats.Sparkline, error) {
		lines, since := map[webhook.AccountID]*stats.Sparkline{}, now
		ids := make([]webhook.AccountID, len(some))
		for i, a := range some {
			ids[i], lines[a.ID] = a.ID, stats.NewSparkline(now, a.Location())
			if first := lines[a.ID].Since(); first.Before(since) {
				since = first
			}
		}
		theirs, args := anyOf("account_id", 2, ids)
		query := fmt.Sprintf(storedAttempts, `account_id`, ofAccounts+theirs)
		err := s.readAttempts(ctx, 0, func(of, hour int64, encoded []byte) error {
			return lines[webhook.AccountID(of)].Decode(fromMillis(hour), encoded)
		}, func(a stats.Attempt) {
			if line := lines[a.Account]; line != nil && !a.Own {
				line.Count(a)
			}
		}, query, append([]any{since.UnixMilli()}, args...)...)
		return lines, err
	})
}

// Today returns what happened in an account since midnight by its clock, and what is
// waiting. For account 0 it is the whole instance, in UTC.
func (s *Store) Today(ctx context.Context, account webhook.AccountID, now time.Time) (t stats.Today, err error) {
	zone := time.UTC
	if account != 0 {
		a, err := s.Account(ctx, account)
		if err != nil {
			return t, err
		}
		zone = a.Location()
	}
	t.Since = stats.Midnight(now, zone)
	err = s.readHours(ctx, stats.AttemptKey{Account: account, Hour: t.Since.UnixMilli()},
		func(_ time.Time, counts *stats.Counts) { t.Attempts.Add(counts) },
		func(a stats.Attempt) {
			if !a.StartedAt.Before(t.Since) {
				t.Attempts.Count(a)
			}
		})
	if err == nil {
		t.Events, err = s.eventsSince(ctx, account, t.Since)
	}
	if err == nil {
		t.Waiting, t.OldestWaiting, err = s.Waiting(ctx, account)
	}
	if err == nil {
		t.Retried, err = s.retried(ctx, account)
	}
	if err == nil && account != 0 {
		err = queryRow(ctx, s.engine, unsentSince, account, webhook.FirstID[webhook.EventID](t.Since), hasDelivery, webhook.OwnPlatform, stats.TodayRead).Scan(&t.Decided, &t.Unsent)
	}
	return t, err
}

// unsentSince counts among the newest events of an account those that were decided, and
// those of them without a delivery.
const unsentSince = `SELECT count(*), COALESCE(sum(CASE WHEN replace(decisions, $3, '') = decisions THEN 1 ELSE 0 END), 0)
	FROM (SELECT decisions, test, platform FROM events WHERE account_id = $1 AND id >= $2 ORDER BY id DESC LIMIT $5) AS newest
	WHERE test = 0 AND platform <> $4 AND decisions <> '` + unmatched + `'`

func (s *Store) eventsSince(ctx context.Context, account webhook.AccountID, since time.Time) (n int64, err error) {
	err = s.readCounts(ctx, func(r scanner) error {
		var events int64
		var entries stats.Log
		if err := r.Scan(&events, (*[]byte)(&entries)); err != nil {
			return err
		}
		n += events
		return entries.Read(account, func(stats.Attempt) {}, func(e stats.Event) {
			if !e.ReceivedAt.Before(since) {
				n++
			}
		})
	}, `SELECT events, NULL AS entries FROM event_counts WHERE account_id = $1 AND hour >= $2 UNION ALL SELECT 0, entries FROM count_log`,
		account, since.UnixMilli())
	return n, err
}

// Waiting counts pending deliveries of an account (0: of the instance), up to
// webhook.CountCap + 1, and says when the oldest was created.
func (s *Store) Waiting(ctx context.Context, account webhook.AccountID) (n int, oldest time.Time, err error) {
	var first webhook.DeliveryID
	pending := pendingOf(account)
	err = queryRow(ctx, s.engine, `SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE `+pending+` LIMIT $2) AS counted),
		COALESCE((SELECT MIN(id) FROM deliveries WHERE `+pending+`), 0)`, account, webhook.CountCap+1).Scan(&n, &first)
	if first != 0 {
		oldest = first.Time()
	}
	return n, oldest, err
}

// pendingOf is the condition of pending deliveries of the account $1 (0: of the instance).
func pendingOf(account webhook.AccountID) string {
	if account == 0 {
		return `$1 = 0 AND state = 'pending'`
	}
	return `account_id = $1 AND state = 'pending' AND state <> 'delivered'`
}

// retried counts those of stats.TodayRead pending deliveries of which an attempt has failed,
// and of which the webhook is on.
func (s *Store) retried(ctx context.Context, account webhook.AccountID) (n int, err error) {
	err = queryRow(ctx, s.engine, `SELECT count(*) FROM (SELECT webhook_id, last_failure, test FROM deliveries WHERE `+pendingOf(account)+` LIMIT $2) AS found
		WHERE last_failure <> '' AND test = 0 AND EXISTS (SELECT 1 FROM webhooks w WHERE w.id = webhook_id AND w.enabled = 1)`, account, stats.TodayRead).Scan(&n)
	return n, err
}

// Silences returns from where an account receives nothing although it usually does by
// this hour of the week.
func (s *Store) Silences(ctx context.Context, account webhook.AccountID, now time.Time) ([]stats.Silence, error) {
	a, err := s.Account(ctx, account)
	if err != nil {
		return nil, err
	}
	arrivals := stats.NewArrivals(now, a.Location())
	add := func(r scanner) error {
		var platform, channel string
		var hour, events int64
		var entries stats.Log
		if err := r.Scan(&platform, &channel, &hour, &events, (*[]byte)(&entries)); err != nil {
			return err
		}
		if events > 0 {
			arrivals.Add(platform, channel, fromMillis(hour), events)
		}
		return entries.Read(account, func(stats.Attempt) {}, func(e stats.Event) {
			arrivals.Add(e.Platform, e.Channel, stats.Hour(e.ReceivedAt, a.Location()), 1)
		})
	}
	query := `SELECT platform, channel_id, hour, events, NULL AS entries FROM event_counts WHERE account_id = $1 AND hour >= $2 AND hour <= $3`
	const logged = ` UNION ALL SELECT '', '', 0, 0, entries FROM count_log`
	for week := 0; ; week++ {
		from, to, ok := arrivals.Window(week)
		if !ok {
			return arrivals.Silences(), nil
		}
		all := query
		if week == 0 {
			all += logged
		}
		if err := s.readCounts(ctx, add, all, account, from.UnixMilli(), to.UnixMilli()); err != nil {
			return nil, err
		}
	}
}
