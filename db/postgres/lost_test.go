package postgres

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"

	"bookhook/db/postgres/pgtest"
)

// proxy stands between a database and its server.
type proxy struct {
	url  string
	cut  atomic.Bool // the next COMMIT reaches the server, and its answer nobody
	down atomic.Bool // nothing can be reached
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	u, err := url.Parse(to)
	wantErr(t, "parse", err, nil)
	server := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	wantErr(t, "listen", err, nil)
	t.Cleanup(func() { listener.Close() })
	u.Host = listener.Addr().String()
	p := &proxy{url: u.String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client, server)
		}
	}()
	return p
}

func (p *proxy) serve(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil || p.down.Load() {
		return
	}
	defer server.Close()
	var mute atomic.Bool
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil || mute.Load() {
				client.Close()
				return
			}
			_, _ = client.Write(buffer[:n])
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil || p.down.Load() {
			return
		}
		if bytes.Contains(buffer[:n], []byte("COMMIT")) && p.cut.CompareAndSwap(true, false) {
			mute.Store(true)
		}
		if _, err := io.Copy(server, bytes.NewReader(buffer[:n])); err != nil {
			return
		}
	}
}

// TestUnknownCommit: what was committed without an answer is an error, never a success.
func TestUnknownCommit(t *testing.T) {
	direct, url := openTemp(t)
	p := newProxy(t, url)
	d := openURL(t, p.url)
	wantErr(t, "a write", d.Write(t.Context(), false, put("a")), nil)
	p.cut.Store(true)
	wantUnavailable(t, "a commit without an answer", d.Write(t.Context(), false, put("b")), unreachable)
	want(t, "rows", traces(t, direct), "a b")
	wantUnavailable(t, "ping", d.Ping(t.Context()), unreachable)
	wantErr(t, "a write after that", d.Write(t.Context(), false, put("d")), nil)
	wantErr(t, "ping", d.Ping(t.Context()), nil)
}

// TestServerGone: while the server cannot be reached, reads and writes say so; then all is
// as before.
func TestServerGone(t *testing.T) {
	_, url := openTemp(t)
	p := newProxy(t, url)
	d := openURL(t, p.url)
	wantErr(t, "a write", d.Write(t.Context(), false, put("a")), nil)
	want(t, "rows", traces(t, d), "a")
	p.down.Store(true)
	wantUnavailable(t, "a write", d.Write(t.Context(), false, put("b")), unreachable)
	wantUnavailable(t, "a read", scanOne(d, new(int), `SELECT 1`), unreachable)
	p.down.Store(false)
	wantErr(t, "a write with the server back", d.Write(t.Context(), false, put("c")), nil)
	want(t, "rows", traces(t, d), "a c")
}

// TestRestart: connections that were lost while nobody used them are no error.
func TestRestart(t *testing.T) {
	d, url := openTemp(t)
	wantErr(t, "a write", d.Write(t.Context(), false, put("a")), nil)
	pgtest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	wantErr(t, "a write after that", d.Write(t.Context(), false, put("b")), nil)
	want(t, "rows", traces(t, d), "a b")
}

// TestLock: one process serves a database; it keeps its lock when the connection is lost.
func TestLock(t *testing.T) {
	ctx := context.Background()
	url := pgtest.Database(t, "template1")
	p := newProxy(t, url)
	release, err := Lock(ctx, p.url)
	wantErr(t, "lock", err, nil)
	_, err = Lock(ctx, url)
	wantErr(t, "lock again", err, errInUse)
	wantErr(t, "release", release(), nil)
	wantErr(t, "release again", release(), nil)
	release, err = Lock(ctx, url)
	wantErr(t, "lock after that", err, nil)
	wantErr(t, "release", release(), nil)

	config, err := parse(p.url)
	wantErr(t, "parse", err, nil)
	l := &locker{pool: pool(config, 1)}
	defer l.pool.Close()
	wantErr(t, "take", l.take(ctx), nil)
	pgtest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	l.check(ctx)
	want(t, "taken again", l.tx != nil, true)
	_, err = Lock(ctx, url)
	wantErr(t, "lock", err, errInUse)
	l.check(ctx)
	want(t, "still taken", l.tx != nil, true)
	wantErr(t, "let go", l.tx.Rollback(), nil)
}
