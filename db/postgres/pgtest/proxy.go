package pgtest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
)

// Proxy stands between a database and its server.
type Proxy struct {
	URL  string
	Cut  atomic.Bool // the next COMMIT reaches the server, and its answer nobody
	Down atomic.Bool // nothing can be reached
	Mute atomic.Bool // nothing arrives, in either direction, and no connection ends
	Deaf atomic.Bool // no announcement is heard, as through PgBouncer: LISTEN is taken for a comment
}

// NewProxy returns a proxy to the server of a URL.
func NewProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	server := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() }) //nolint:errcheck // nothing is lost
	u.Host = listener.Addr().String()
	p := &Proxy{URL: u.String()}
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

// commit is in the message that executes a COMMIT which was prepared: pgx names statements
// by the digest of their text.
var commit = fmt.Appendf(nil, "\x00stmtcache_%x\x00", sha256Of("COMMIT")[:24])

func sha256Of(text string) []byte {
	digest := sha256.Sum256([]byte(text))
	return digest[:]
}

func (p *Proxy) serve(client net.Conn, to string) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil || p.Down.Load() {
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
			if !p.Mute.Load() {
				_, _ = client.Write(buffer[:n])
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil || p.Down.Load() {
			return
		}
		if p.Mute.Load() {
			continue
		}
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
