package postgres

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"bookhook/db/group"
	"bookhook/webhook"
)

// A replica is a process that serves the database. It has one lease, which it renews, and
// the shards that it took while they were free or those of a replica whose lease had ended.
// All of that is written in groups, so what a group reads of it is true until the group has
// ended: with that, writes are fenced, whatever the clocks say. The clock of the leases is
// the server's.

// now is the time of the server.
const now = `CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)`

// bit is the set of the one shard n.
const bit = `(CAST(1 AS BIGINT) << CAST(%s AS INTEGER))`

// announceFree tells the others that there are shards to take, or to give back.
func (d *DB) announceFree(ctx context.Context, tx group.Tx) error {
	s := d.announcement([]webhook.Touched{{What: webhook.TouchShards}})
	_, err := tx.Exec(ctx, s.Query, s.Args...)
	return err
}

// epochs are those of the shards that a replica holds, 0 for the others.
type epochs = [webhook.Shards]int64

// Held returns which shards this process holds, of those that Lease returned. It holds
// them until the group has ended. Only writes may call it.
func (d *DB) Held() (held webhook.ShardSet) {
	told := d.told.Load()
	if told == nil {
		return 0
	}
	for shard, epoch := range d.session.shards {
		if epoch > 0 && epoch == told[shard] {
			held |= 1 << shard
		}
	}
	return held
}

// Lease renews the lease of this process, gives shards back, and takes others up to the
// fair share. Only one call may run at a time.
func (d *DB) Lease(ctx context.Context, r webhook.LeaseRequest) (lease webhook.Lease, err error) {
	d.withdraw(r.GiveBack)
	err = d.writer.Write(ctx, group.Turn{}, func(tx group.Tx) (err error) {
		lease, err = d.lease(ctx, tx, r)
		return err
	})
	if err != nil {
		return webhook.Lease{}, err
	}
	if told := d.told.Load(); told == nil || *told != lease.Epochs {
		d.told.Store(&lease.Epochs)
	}
	return lease, nil
}

// withdraw makes writes for shards that are given back fail from now on.
func (d *DB) withdraw(shards webhook.ShardSet) {
	told := d.told.Load()
	if told == nil || shards == 0 {
		return
	}
	left := *told
	for shard := range shards.Each() {
		left[shard] = 0
	}
	d.told.Store(&left)
}

func (d *DB) lease(ctx context.Context, tx group.Tx, r webhook.LeaseRequest) (lease webhook.Lease, err error) {
	began := time.Now() // before the server looks at its clock
	changed := false
	if r.GiveBack != 0 {
		n, err := tx.Exec(ctx, `UPDATE shards SET replica = 0 WHERE replica = $1 AND `+fmt.Sprintf(bit, "shard")+` & $2 <> 0`, d.session.process, int64(r.GiveBack))
		if err != nil {
			return lease, err
		}
		changed = n > 0
	}
	if r.Leaving && r.GiveBack == webhook.AllShards {
		if _, err := tx.Exec(ctx, `DELETE FROM replicas WHERE id = $1`, d.session.process); err != nil {
			return lease, err
		}
		return lease, d.announceFree(ctx, tx)
	}
	joined, err := d.renew(ctx, tx, r)
	if err != nil {
		return lease, err
	}
	lease, err = d.take(ctx, tx, r)
	lease.Until = began.Add(webhook.LeaseTime)
	if err == nil && (joined || changed) {
		err = d.announceFree(ctx, tx)
	}
	return lease, err
}

// deadShown is how long the row of a replica that died is kept, for people.
const deadShown = 24 * time.Hour

// renew writes the row of this process, and reports whether there was none; then it
// deletes those of replicas that died long ago.
func (d *DB) renew(ctx context.Context, tx group.Tx, r webhook.LeaseRequest) (joined bool, err error) {
	leaving := 0
	if r.Leaving {
		leaving = 1
	}
	n, err := tx.Exec(ctx, `UPDATE replicas SET seen_at = `+now+`, lease_end = `+now+` + $2, leaving = $3 WHERE id = $1`,
		d.session.process, webhook.LeaseTime.Milliseconds(), leaving)
	if n > 0 || err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO replicas (id, name, version, started_at, seen_at, lease_end, leaving) VALUES ($1, $2, $3, `+now+`, `+now+`, `+now+` + $4, $5)`,
		d.session.process, r.Name, r.Version, webhook.LeaseTime.Milliseconds(), leaving)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM replicas WHERE seen_at < `+now+` - $1`, deadShown.Milliseconds())
	return true, err
}

// take takes what is free, up to the fair share, and returns what this process holds.
func (d *DB) take(ctx context.Context, tx group.Tx, r webhook.LeaseRequest) (lease webhook.Lease, err error) {
	alive := 0
	if err := scanRow(ctx, tx, &alive, `SELECT count(*) FROM replicas WHERE leaving = 0 AND lease_end > `+now); err != nil {
		return lease, err
	}
	last, free, err := d.readShards(ctx, tx, &lease.Epochs)
	if err != nil {
		return lease, err
	}
	lease.Share = (webhook.Shards + max(alive, 1) - 1) / max(alive, 1)
	want := lease.Share
	for _, epoch := range lease.Epochs {
		if epoch > 0 {
			want--
		}
	}
	var taken webhook.ShardSet
	for shard := range free.Each() {
		if want > 0 && !r.Leaving {
			want--
			taken |= 1 << shard
			lease.Epochs[shard] = last[shard] + 1
		}
	}
	lease.Written, d.leased = d.session.others != d.leased, d.session.others
	if taken == 0 {
		return lease, nil
	}
	_, err = tx.Exec(ctx, `INSERT INTO shards (shard, replica, epoch) SELECT n, $1, 1 FROM generate_series(0, $3 - 1) n WHERE `+fmt.Sprintf(bit, "n")+` & $2 <> 0
		ON CONFLICT (shard) DO UPDATE SET replica = excluded.replica, epoch = shards.epoch + 1`, d.session.process, int64(taken), webhook.Shards)
	return lease, err
}

// readShards reads the epochs of the shards that this process holds, those of all, and
// which ones nobody holds whose lease is good.
func (d *DB) readShards(ctx context.Context, tx group.Tx, own *epochs) (last epochs, free webhook.ShardSet, err error) {
	rows, err := tx.Query(ctx, `SELECT s.shard, s.epoch, s.replica = $1, COALESCE(r.lease_end > `+now+`, false)
		FROM shards s LEFT JOIN replicas r ON r.id = s.replica`, d.session.process)
	if err != nil {
		return last, 0, err
	}
	defer rows.Close()
	free = webhook.AllShards
	for rows.Next() {
		var shard int
		var epoch int64
		var ours, held bool
		if err := rows.Scan(&shard, &epoch, &ours, &held); err != nil {
			return last, 0, err
		}
		last[shard] = epoch
		if ours {
			own[shard] = epoch
		}
		if held {
			free &^= 1 << shard
		}
	}
	return last, free, rows.Err()
}

// Replicas lists the processes that serve the database, the oldest first.
func (d *DB) Replicas(ctx context.Context) (all []webhook.Replica, err error) {
	rows, err := d.Query(ctx, `SELECT r.id, r.name, r.version, r.started_at, r.seen_at, r.lease_end > `+now+`, r.leaving = 1,
		CAST(COALESCE((SELECT sum(`+fmt.Sprintf(bit, "s.shard")+`) FROM shards s WHERE s.replica = r.id), 0) AS BIGINT)
		FROM replicas r ORDER BY r.started_at, r.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r webhook.Replica
		var started, seen int64
		if err := rows.Scan(&r.ID, &r.Name, &r.Version, &started, &seen, &r.Alive, &r.Leaving, &r.Shards); err != nil {
			return nil, err
		}
		r.StartedAt, r.SeenAt, r.Own = time.UnixMilli(started).UTC(), time.UnixMilli(seen).UTC(), r.ID == d.session.process
		all = append(all, r)
	}
	return all, rows.Err()
}

// scanRow reads the one value of a query.
func scanRow(ctx context.Context, tx group.Tx, to any, query string, args ...any) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	rows.Next()
	return cmp.Or(rows.Err(), rows.Scan(to))
}
