package pgtest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy stands between a database and its server.
type Proxy struct {
	URL  string
	Cut  atomic.Bool // the next COMMIT reaches the server, and its answer nobody
	Down atomic.Bool // nothing can be reached
	Mute atomic.Bool // nothing arrives, in either direction, until this ends; no connection ends
	Deaf atomic.Bool // no announcement is heard, as through PgBouncer: LISTEN is taken for a comment

	Refused atomic.Int64           // connections that were not opened, or were cut, because it was Down
	server  atomic.Pointer[string] // host and port
	clients sync.Map               // their connections
}

// NewProxy returns a proxy to the server of a URL.
func NewProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{}
	p.To(t, to)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() }) //nolint:errcheck // nothing is lost
	u.Host = listener.Addr().String()
	p.URL = u.String()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	return p
}

// commit is in the message that executes a COMMIT which was prepared: pgx names statements
// by the digest of their text.
var commit = fmt.Appendf(nil, "\x00stmtcache_%x\x00", sha256Of("COMMIT")[:24])

func sha256Of(text string) []byte {
	digest := sha256.Sum256([]byte(text))
	return digest[:]
}

// To makes new connections go to the server of another URL.
func (p *Proxy) To(t testing.TB, to string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	p.server.Store(&u.Host)
}

// Sever ends all connections, and opens none until Down is ended.
func (p *Proxy) Sever() {
	p.Down.Store(true)
	p.clients.Range(func(client, _ any) bool {
		client.(net.Conn).Close() //nolint:forcetypeassert,errcheck // there is nothing else in it
		return true
	})
}

// delay returns when something may arrive.
func (p *Proxy) delay() {
	for p.Mute.Load() {
		time.Sleep(5 * time.Millisecond)
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	p.clients.Store(client, true)
	defer p.clients.Delete(client)
	p.delay()
	if p.Down.Load() {
		p.Refused.Add(1)
		return
	}
	server, err := net.Dial("tcp", *p.server.Load())
	if err != nil {
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
			p.delay()
			_, _ = client.Write(buffer[:n])
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if p.Down.Load() {
			p.Refused.Add(1)
			return
		}
		p.delay()
		if bytes.Contains(buffer[:n], commit) && p.Cut.CompareAndSwap(true, false) {
			mute.Store(true)
		}
		if p.Deaf.Load() {
			copy(buffer, bytes.ReplaceAll(buffer[:n], []byte("LISTEN "), []byte("-- ---+")))
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}
