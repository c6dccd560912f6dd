package postgres

import (
	"context"
	"testing"
	"time"

	"bookhook/db/group"
	"bookhook/db/postgres/pgtest"
	"bookhook/webhook"
)

// lease renews the lease of a process, and returns how many shards that holds.
func lease(t *testing.T, d *DB, r webhook.LeaseRequest) (webhook.Lease, int) {
	t.Helper()
	l, err := d.Lease(t.Context(), r)
	wantErr(t, "lease", err, nil)
	return l, setOf(l).Len()
}

func setOf(l webhook.Lease) (set webhook.ShardSet) {
	for shard, epoch := range l.Epochs {
		if epoch > 0 {
			set |= 1 << shard
		}
	}
	return set
}

// held is what a write of the process holds.
func held(t *testing.T, d *DB) (set webhook.ShardSet) {
	t.Helper()
	wantErr(t, "write", d.Write(t.Context(), group.Turn{}, func(group.Tx) error {
		set = d.Held()
		return nil
	}), nil)
	return set
}

// surplus is what a process has beyond its share.
func surplus(l webhook.Lease) (set webhook.ShardSet) {
	has := setOf(l).Len()
	for shard := range setOf(l).Each() {
		if has > l.Share {
			set |= 1 << shard
			has--
		}
	}
	return set
}

// TestLeases: replicas share the shards as evenly as they can be shared, hand over what is
// too much, and take what a dead one had.
func TestLeases(t *testing.T) {
	one, url := openTemp(t)
	two, three := openURL(t, url), openURL(t, url)
	var none webhook.LeaseRequest
	want(t, "before the first lease", held(t, one), webhook.ShardSet(0))
	_, n := lease(t, one, none)
	want(t, "alone", n, webhook.Shards)
	want(t, "alone, in a write", held(t, one), webhook.AllShards)
	_, n = lease(t, two, none)
	want(t, "nothing is free", n, 0)
	l, n := lease(t, one, none)
	want(t, "holds until it gives back", n, webhook.Shards)
	want(t, "share of two", l.Share, 31)
	_, n = lease(t, one, webhook.LeaseRequest{GiveBack: surplus(l)})
	want(t, "the first of two", n, 31)
	_, n = lease(t, two, none)
	want(t, "the second of two", n, 30)
	want(t, "apart", held(t, one)&held(t, two), webhook.ShardSet(0))
	lease(t, three, none)
	for _, d := range []*DB{one, two} {
		l, _ := lease(t, d, none)
		_, n := lease(t, d, webhook.LeaseRequest{GiveBack: surplus(l)})
		want(t, "one of three", n, 21)
	}
	_, n = lease(t, three, none)
	want(t, "the third of three", n, 19)
	want(t, "together", held(t, one)|held(t, two)|held(t, three), webhook.AllShards)

	pgtest.Exec(t, url, `UPDATE replicas SET lease_end = 0 WHERE id = $1`, one.session.process)
	_, n = lease(t, two, none)
	want(t, "of two that are left", n, 31)
	want(t, "the dead one holds what nobody took", held(t, one).Len(), 11)
	_, n = lease(t, three, none)
	want(t, "the other", n, 30)
	want(t, "the dead one", held(t, one), webhook.ShardSet(0))
	_, n = lease(t, two, webhook.LeaseRequest{Leaving: true, GiveBack: webhook.AllShards})
	want(t, "one that left", n, 0)
	_, n = lease(t, three, none)
	want(t, "the last", n, webhook.Shards)
}

// TestEpochs: a process that lost a shard and got it back without knowing does not hold it
// before it knows.
func TestEpochs(t *testing.T) {
	one, url := openTemp(t)
	two := openURL(t, url)
	first, _ := lease(t, one, webhook.LeaseRequest{})
	again, _ := lease(t, one, webhook.LeaseRequest{})
	want(t, "renewed", again.Epochs, first.Epochs)
	want(t, "for longer", again.Until.After(first.Until), true)
	pgtest.Exec(t, url, `UPDATE replicas SET lease_end = 0`)
	lease(t, two, webhook.LeaseRequest{})
	lease(t, two, webhook.LeaseRequest{Leaving: true, GiveBack: webhook.AllShards})
	pgtest.Exec(t, url, `UPDATE shards SET replica = $1, epoch = epoch + 1`, one.session.process)
	want(t, "taken again, unknown", held(t, one), webhook.ShardSet(0))
	second, _ := lease(t, one, webhook.LeaseRequest{})
	want(t, "the epoch after next", second.Epochs[7], first.Epochs[7]+2)
	want(t, "known", held(t, one), webhook.AllShards)
}

// TestRoundAlone: the lease of the only process makes it forget nothing that it has read.
func TestRoundAlone(t *testing.T) {
	d, url := openTemp(t)
	lease(t, d, webhook.LeaseRequest{})
	round := func() (round uint64) {
		wantErr(t, "write", d.Write(t.Context(), group.Turn{}, func(tx group.Tx) error { round = tx.Round(); return nil }), nil)
		return round
	}
	first := round()
	l, _ := lease(t, d, webhook.LeaseRequest{})
	want(t, "written by others", l.Written, false)
	want(t, "round", round(), first)
	wantErr(t, "another one", openURL(t, url).Write(t.Context(), group.Turn{}, put("a")), nil)
	l, _ = lease(t, d, webhook.LeaseRequest{})
	want(t, "written by others", l.Written, true)
}

// TestReplicas: the list names who serves, since when, and what each holds.
func TestReplicas(t *testing.T) {
	one, url := openTemp(t)
	two := openURL(t, url)
	lease(t, one, webhook.LeaseRequest{Name: "a:8080", Version: "1.2"})
	lease(t, two, webhook.LeaseRequest{Name: "b:8080", Version: "1.3", Leaving: true})
	pgtest.Exec(t, url, `UPDATE replicas SET lease_end = 0 WHERE name = 'a:8080'`)
	all, err := two.Replicas(t.Context())
	wantErr(t, "list", err, nil)
	want(t, "how many", len(all), 2)
	a, b := all[0], all[1]
	if a.Name != "a:8080" {
		a, b = b, a
	}
	if time.Since(a.StartedAt) > time.Hour || time.Since(a.SeenAt) > time.Hour {
		t.Errorf("started at %s and seen at %s, want now", a.StartedAt, a.SeenAt)
	}
	a.StartedAt, a.SeenAt, b.StartedAt, b.SeenAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	want(t, "the first", a, webhook.Replica{ID: one.session.process, Name: "a:8080", Version: "1.2", Shards: webhook.AllShards})
	want(t, "the second", b, webhook.Replica{ID: two.session.process, Name: "b:8080", Version: "1.3", Alive: true, Leaving: true, Own: true})
}

// TestAnnounce: the other processes of the schema hear what a group announces once it is
// committed; of too much, that anything may have changed.
func TestAnnounce(t *testing.T) {
	one, url := openTemp(t)
	two := openURL(t, url)
	heard := make(chan []webhook.Touched, 100)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		two.Listen(ctx, func(all []webhook.Touched) { heard <- all })
	}()
	next := func(what string, all ...webhook.Touched) {
		t.Helper()
		select {
		case got := <-heard:
			want(t, what, encode(0, got), encode(0, all))
		case <-time.After(30 * time.Second):
			t.Fatal(what + ": nothing was heard")
		}
	}
	unknown := webhook.Touched{What: webhook.TouchUnknown}
	next("the beginning", unknown)
	announce := func(d *DB, all []webhook.Touched, result error) {
		wantErr(t, "announce", d.Write(ctx, group.Turn{}, func(tx group.Tx) error {
			s := d.announcement(all)
			_, err := tx.Exec(ctx, s.Query, s.Args...)
			wantErr(t, "announce", err, nil)
			return result
		}), result)
	}
	touched := []webhook.Touched{{Account: 1, Webhook: 1<<62 + 5, What: webhook.TouchWebhook}, {Account: 3, What: webhook.TouchLookup}, {Account: 4, Webhook: 5, Delivery: 6}}
	announce(one, touched[:1], webhook.ErrConflict) // undone
	announce(two, touched[:1], nil)                 // its own
	announce(one, touched, nil)
	next("what changed", touched...)
	many := make([]webhook.Touched, 1000)
	for i := range many {
		many[i] = webhook.Touched{Account: 1 << 62, Webhook: webhook.WebhookID(i)}
	}
	announce(one, many, nil)
	next("too much", unknown)
	for i := range many {
		many[i] = webhook.Touched{Account: 1, Webhook: webhook.WebhookID(i % 2), Delivery: webhook.DeliveryID(1<<62 + i)}
	}
	announce(one, many, nil)
	next("many deliveries of two webhooks", webhook.Touched{Account: 1}, webhook.Touched{Account: 1, Webhook: 1})
	pgtest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	next("a new connection", unknown)
	lease(t, one, webhook.LeaseRequest{})
	next("a replica joined", webhook.Touched{What: webhook.TouchShards})
	lease(t, one, webhook.LeaseRequest{GiveBack: 1})
	next("a shard was given back", webhook.Touched{What: webhook.TouchShards})
	stop()
	<-ended
	for text, all := range map[string][]webhook.Touched{
		"1 1.2.3 !":         {unknown},
		"1/! 1.2.3":         {unknown},
		"1":                 nil,
		"1 1.2.3":           {{Account: 1, Webhook: 2, What: 3}}, // of an older version
		"1/0/a 1.2.3 1.2.0": {{Account: 1, Webhook: 2, What: 3}, {Account: 1, Webhook: 2, Delivery: 10}},
	} {
		process, got := decode(text)
		want(t, text, encode(1, got), encode(1, all))
		want(t, "who announces", process, "1")
	}
}
