package postgres

import (
	"context"
	"testing"
	"time"

	"bookhook/db/group"
	"bookhook/db/postgres/pgtest"
)

// TestUnknownCommit: what was committed without an answer is an error, never a success.
func TestUnknownCommit(t *testing.T) {
	direct, url := openTemp(t)
	p := pgtest.NewProxy(t, url)
	d := openURL(t, p.URL)
	wantErr(t, "a write", d.Write(t.Context(), group.Turn{}, put("a")), nil)
	p.Cut.Store(true)
	wantUnavailable(t, "a commit without an answer", d.Write(t.Context(), group.Turn{}, put("b")), unreachable)
	want(t, "rows", traces(t, direct), "a b")
	wantUnavailable(t, "ping", d.Ping(t.Context()), unreachable)
	wantErr(t, "a write after that", d.Write(t.Context(), group.Turn{}, put("d")), nil)
	wantErr(t, "ping", d.Ping(t.Context()), nil)
}

// TestServerGone: while the server cannot be reached, reads and writes say so; then all is
// as before.
func TestServerGone(t *testing.T) {
	_, url := openTemp(t)
	p := pgtest.NewProxy(t, url)
	d := openURL(t, p.URL)
	wantErr(t, "a write", d.Write(t.Context(), group.Turn{}, put("a")), nil)
	want(t, "rows", traces(t, d), "a")
	p.Down.Store(true)
	wantUnavailable(t, "a write", d.Write(t.Context(), group.Turn{}, put("b")), unreachable)
	wantUnavailable(t, "a read", scanOne(d, new(int), `SELECT 1`), unreachable)
	p.Down.Store(false)
	wantErr(t, "a write with the server back", d.Write(t.Context(), group.Turn{}, put("c")), nil)
	want(t, "rows", traces(t, d), "a c")
}

// TestSilent: a server that does not answer is waited for once, and not asked by each of
// the writes that wait.
func TestSilent(t *testing.T) {
	_, url := openTemp(t)
	p := pgtest.NewProxy(t, url)
	d := openURL(t, p.URL)
	wantErr(t, "a write", d.Write(t.Context(), group.Turn{}, put("a")), nil)
	p.Mute.Store(true)
	wantUnavailable(t, "a write", d.Write(t.Context(), group.Turn{}, put("b")), unreachable)
	err := d.Write(t.Context(), group.Turn{}, put("c"))
	wantErr(t, "another one", err, errSilent)
	wantUnavailable(t, "another one", err, unreachable)
	p.Mute.Store(false)
	for d.Write(t.Context(), group.Turn{}, put("d")) != nil {
		time.Sleep(silentTime / 10)
	}
	want(t, "rows", traces(t, d), "a d")
}

// TestRestart: connections that were lost while nobody used them are no error.
func TestRestart(t *testing.T) {
	d, url := openTemp(t)
	wantErr(t, "a write", d.Write(t.Context(), group.Turn{}, put("a")), nil)
	pgtest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	wantErr(t, "a write after that", d.Write(t.Context(), group.Turn{}, put("b")), nil)
	want(t, "rows", traces(t, d), "a b")
}

// TestLock: who locks a database has it alone; those who serve it, together. The lock is
// kept when the connection is lost.
func TestLock(t *testing.T) {
	ctx := context.Background()
	url := pgtest.Database(t, "template1")
	p := pgtest.NewProxy(t, url)
	release, err := Lock(ctx, p.URL)
	wantErr(t, "lock", err, nil)
	_, err = Lock(ctx, url)
	wantErr(t, "lock again", err, ErrInUse)
	wantErr(t, "release", release(), nil)
	wantErr(t, "release again", release(), nil)
	one, err := LockServing(ctx, url)
	wantErr(t, "serve", err, nil)
	two, err := LockServing(ctx, url)
	wantErr(t, "serve as well", err, nil)
	wantErr(t, "the first ends", one(), nil)
	_, err = Lock(ctx, url)
	wantErr(t, "lock while one serves", err, ErrInUse)
	wantErr(t, "the second ends", two(), nil)
	release, err = Lock(ctx, url)
	wantErr(t, "lock after that", err, nil)
	_, err = LockServing(ctx, url)
	wantErr(t, "serve what is locked", err, ErrInUse)
	wantErr(t, "release", release(), nil)

	config, err := parse(p.URL)
	wantErr(t, "parse", err, nil)
	l := &locker{config: config, try: serving.tryLock()}
	defer l.drop()
	wantErr(t, "take", l.take(ctx), nil)
	pgtest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	l.check(ctx)
	want(t, "taken again", l.conn != nil, true)
	_, err = Lock(ctx, url)
	wantErr(t, "lock", err, ErrInUse)
	l.check(ctx)
	want(t, "still taken", l.conn != nil, true)
}

// TestLockSilent: letting go of the lock waits for no answer.
func TestLockSilent(t *testing.T) {
	p := pgtest.NewProxy(t, pgtest.Database(t, "template1"))
	release, err := Lock(t.Context(), p.URL)
	wantErr(t, "lock", err, nil)
	p.Mute.Store(true)
	released := make(chan error)
	go func() { released <- release() }()
	select {
	case err := <-released:
		wantErr(t, "release", err, nil)
	case <-time.After(30 * time.Second):
		t.Error("the release still waits")
	}
}
