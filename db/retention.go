package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"bookhook/webhook"
)

// Prune deletes one small batch of old rows:
//
//   - of the next events after the given one, the deliveries that finished earlier
//     than before, with their attempts, and the events that have no deliveries left;
//   - entries of the activity log that are older than before;
//   - bulk replays that ended earlier than before;
//   - rejected requests that were last received webhook.KeepRejected ago;
//   - messages of the outbox that are older than before and not waiting, and
//     invitations that expired before;
//   - incidents that ended earlier than before;
//   - uploads after webhook.KeepUpload, and comparisons after webhook.KeepReconciliation;
//   - counts of hours after stats.Kept;
//   - in the first batch, expired sessions, access tokens and links for new passwords.
//
// It returns how many rows it deleted, and the last event that it read. Call it
// with 0 first and then with last, until nothing is deleted and last equals after:
// so pending deliveries are read once, and not in every batch.
func (s *Store) Prune(ctx context.Context, before, now time.Time, after webhook.EventID, batch int) (deleted int64, last webhook.EventID, err error) {
	// A match hardly ever changes, so it is read beforehand, while others write: its JSON
	// is a third of the work, and the pages may have to come from the disk.
	events, err := list(ctx, s.engine, scanPrunedEvent, `SELECT id, decisions FROM events WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3`,
		after, webhook.FirstID[webhook.EventID](before), batch)
	if err != nil {
		return 0, after, err
	}
	err = s.write(ctx, func(tx transaction) error {
		deleted, last = 0, after
		for _, e := range events {
			n, err := pruneEvent(ctx, tx, e, before)
			if err != nil {
				return err
			}
			if deleted, last = deleted+n, e.id; deleted >= int64(4*batch) {
				break // events that many webhooks received
			}
		}
		others := []statement{
			{`DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < $1 ORDER BY id LIMIT $2)`, []any{webhook.FirstID[webhook.AuditID](before), batch}},
			pruneRejected(now, batch),
			{`DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE id < $1 AND state <> 'waiting' ORDER BY id LIMIT $2)`, []any{webhook.FirstID[webhook.MailID](before), batch}},
			{`DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE closed_at > 0 AND closed_at < $1 LIMIT $2)`, []any{toMillis(before), batch}},
		}
		others = append(others, pruneReplays(before, batch)...)
		others = append(others, pruneReconciliations(now, batch)...)
		others = append(others, pruneCounts(now, batch)...)
		if after == 0 { // these read whole tables
			others = append(others, statement{`DELETE FROM sessions WHERE expires_at <= $1`, []any{toMillis(now)}},
				statement{`DELETE FROM client_tokens WHERE expires_at <= $1`, []any{toMillis(now)}},
				statement{`DELETE FROM password_resets WHERE expires_at <= $1`, []any{toMillis(now)}},
				statement{`DELETE FROM invitations WHERE expires_at <= $1`, []any{toMillis(before)}})
		}
		n, err := execAll(ctx, tx, others)
		if err != nil {
			return err
		}
		deleted += n
		return nil
	})
	return deleted, last, err
}

// pruneRejected deletes requests that were last received long ago. The id of one
// has the time when it was first received, which bounds the rows to read.
func pruneRejected(now time.Time, batch int) statement {
	end := now.Add(-webhook.KeepRejected)
	return statement{
		`DELETE FROM rejected_requests WHERE id IN (SELECT id FROM rejected_requests WHERE id < $1 AND last_at < $2 ORDER BY id LIMIT $3)`,
		[]any{webhook.FirstID[webhook.RejectedID](end), toMillis(end), batch},
	}
}

// statement is a statement with its arguments.
type statement struct {
	query string
	args  []any
}

// execAll runs statements and returns how many rows they changed.
func execAll(ctx context.Context, tx transaction, all []statement) (changed int64, err error) {
	for _, one := range all {
		n, err := tx.Exec(ctx, one.query, one.args...)
		if err != nil {
			return changed, err
		}
		changed += n
	}
	return changed, nil
}

// prunedEvent is an event and the text of its decisions.
type prunedEvent struct {
	matchedEvent
	text string
}

func scanPrunedEvent(r scanner) (e prunedEvent, err error) {
	if err := r.Scan(&e.id, &e.text); err != nil {
		return e, err
	}
	return e, decisionsScanner{&e.decisions, &e.pending}.Scan(e.text)
}

// pruneEvent deletes the finished deliveries of an event, and the event if it has
// none left, unless it was sent to another webhook since it was read. An event that
// waits for its match is kept.
func pruneEvent(ctx context.Context, tx transaction, e prunedEvent, before time.Time) (deleted int64, err error) {
	if e.pending {
		return 0, nil
	}
	deliveries := webhook.DeliveryIDs(e.decisions)
	if len(deliveries) == 0 { // no webhook received it
		return tx.Exec(ctx, `DELETE FROM events WHERE id = $1 AND decisions = $2`, e.id, e.text)
	}
	its, ids := anyOf("id", 1, deliveries)
	n := len(ids)
	finished := fmt.Sprintf(`%s AND state <> 'pending' AND finished_at < $%d`, its, n+1)
	args := slices.Concat(ids, []any{toMillis(before)})
	return execAll(ctx, tx, []statement{
		{`DELETE FROM attempts WHERE delivery_id IN (SELECT id FROM deliveries WHERE ` + finished + `)`, args},
		{`DELETE FROM deliveries WHERE ` + finished, args},
		{
			fmt.Sprintf(`DELETE FROM events WHERE id = $%d AND decisions = $%d AND NOT EXISTS (SELECT 1 FROM deliveries WHERE %s)`, n+1, n+2, its),
			slices.Concat(ids, []any{e.id, e.text}),
		},
	})
}

// pruneReplays deletes replays that ended earlier than before, with their items.
func pruneReplays(before time.Time, batch int) []statement {
	const old = `SELECT r.id FROM replays r WHERE r.state <> 'running' AND r.finished_at < $1 AND r.id < $2`
	args := []any{toMillis(before), webhook.FirstID[webhook.ReplayID](before)}
	return []statement{
		{`DELETE FROM replay_items WHERE (replay_id, delivery_id) IN (
			SELECT i.replay_id, i.delivery_id FROM replay_items i WHERE i.replay_id IN (` + old + `) LIMIT $3)`, append(args[:2:2], batch)},
		{`DELETE FROM replays WHERE id IN (` + old + ` AND NOT EXISTS (SELECT 1 FROM replay_items i WHERE i.replay_id = r.id))`, args},
	}
}
