package db

import (
	"context"
	"hash/fnv"
	"strconv"

	"bookhook/webhook"
)

// maxCountedChanges is up to where Changes counts what is pending. Of more, the next
// attempts of the webhooks tell that something happened.
const maxCountedChanges = 1000

// accountChanges selects numbers of which at least one changes with whatever a page of
// an account shows. Nothing is written for it when a delivery is inserted or finished:
// each number is a few steps into an index that is there for something else.
//
// A delivery that is new has a greater id; one that was claimed, released or is to be
// attempted later moves the next attempt of its webhook; one that ended is no longer
// pending, unless a person or a bulk replay sent it again meanwhile, which the activity
// log and the counts of the replay show; an attempt that failed is the last failure of
// its webhook.
const accountChanges = `SELECT a.revision,
	COALESCE((SELECT MAX(d.id) FROM deliveries d WHERE d.account_id = a.id), 0),
	COALESCE((SELECT MAX(e.id) FROM events e WHERE e.account_id = a.id), 0),
	COALESCE((SELECT MAX(u.id) FROM audit u WHERE u.account_id = a.id), 0),
	COALESCE((SELECT MAX(r.id) FROM rejected_requests r WHERE r.account_id = a.id), 0),
	(SELECT COUNT(*) FROM connections c WHERE c.account_id = a.id AND c.received_at <> 0),
	(SELECT COUNT(*) FROM (SELECT 1 FROM deliveries d WHERE d.account_id = a.id AND d.state = 'pending' AND d.state <> 'delivered' LIMIT $2) AS found),
	(SELECT COUNT(*) FROM (SELECT 1 FROM lookups l WHERE l.account_id = a.id LIMIT $2) AS found),
	(SELECT COUNT(*) FROM replays p WHERE p.account_id = a.id AND p.state = 'running'),
	COALESCE((SELECT SUM(p.sent + p.left_out) FROM replays p WHERE p.account_id = a.id AND p.state = 'running'), 0),
	COALESCE((SELECT SUM(p.delivered) FROM replays p WHERE p.account_id = a.id AND p.state = 'running'), 0),
	COALESCE((SELECT SUM(p.failed) FROM replays p WHERE p.account_id = a.id AND p.state = 'running'), 0)
	FROM accounts a WHERE a.id = $1`

// webhookChanges selects the same of the webhooks of an account.
const webhookChanges = `SELECT COUNT(*), COALESCE(SUM(w.failing_since), 0), COALESCE(SUM(w.failed_at), 0), COALESCE(SUM(w.skipped), 0), COALESCE(SUM(w.circuit_probe_at), 0),
	COALESCE(SUM((SELECT MIN(d.next_at) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.held = 0 AND d.urgent = 1)), 0),
	COALESCE(SUM((SELECT MIN(d.next_at) FROM deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.held = 0 AND d.urgent = 0)), 0)
	FROM webhooks w WHERE w.account_id = $1 AND w.deleted_at = 0`

// Changes returns a short text that is another one after something of the account has
// changed that its pages show; which process made the change does not matter. Between
// two calls it may miss what happened and was undone again. It returns
// webhook.ErrNotFound for an account that there is not.
func (s *Store) Changes(ctx context.Context, account webhook.AccountID) (string, error) {
	var of [19]int64
	var to [19]any
	for i := range of {
		to[i] = &of[i]
	}
	if err := queryRow(ctx, s.engine, accountChanges, account, maxCountedChanges+1).Scan(to[:12]...); err != nil {
		return "", err
	}
	if err := queryRow(ctx, s.engine, webhookChanges, account).Scan(to[12:]...); err != nil {
		return "", err
	}
	digest := fnv.New64a()
	var text []byte
	for _, n := range of {
		text = append(strconv.AppendInt(text, n, 36), '.')
	}
	_, _ = digest.Write(text) // never fails
	return strconv.FormatUint(digest.Sum64(), 36), nil
}
