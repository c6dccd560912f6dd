package accept

import (
	"container/list"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"bookhook/auth"
)

// Pauses after an error of accept.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
	warnPause  = time.Minute // between two warnings of a kind
)

// Options configure a [Listener]; Max and Log are required.
type Options struct {
	Max        int            // connections in all
	PerAddress int            // connections of one client address; a /64 of IPv6 is one; 0: Max
	Proxies    []netip.Prefix // addresses for which only Max holds
	Log        *slog.Logger
}

// Listener is a listener of limited connections. It is safe for concurrent use.
type Listener struct {
	net.Listener
	Options

	mu     sync.Mutex
	idle   list.List // of *Conn that wait for a request; the longest first
	busy   list.List // of *Conn with a request; the longest first
	peers  map[string]map[*Conn]struct{}
	warned map[string]time.Time
}

// Wrap returns a Listener that accepts the connections of l.
func Wrap(l net.Listener, o Options) *Listener {
	return &Listener{Listener: l, Options: o, peers: map[string]map[*Conn]struct{}{}, warned: map[string]time.Time{}}
}

// Accept returns the next connection, which is a [*Conn]. It fails only after the
// listener was closed or cannot be used any more.
func (l *Listener) Accept() (net.Conn, error) {
	for pause := firstPause; ; {
		accepted, err := l.Listener.Accept()
		if err == nil {
			if conn := l.admit(accepted); conn != nil {
				return conn, nil
			}
			pause = firstPause
			continue
		}
		if isFinal(err) {
			return nil, err
		}
		l.warn("connections cannot be accepted right now", "error", err)
		if isShortage(err) {
			l.closeWaiting()
		}
		time.Sleep(pause)
		pause = min(2*pause, lastPause)
	}
}

// isFinal reports whether no connection can be accepted after this error.
func isFinal(err error) bool {
	return slices.ContainsFunc([]error{net.ErrClosed, syscall.EBADF, syscall.EFAULT, syscall.EINVAL, syscall.ENOTSOCK}, func(final error) bool {
		return errors.Is(err, final)
	})
}

// isShortage reports whether closing a connection helps.
func isShortage(err error) bool {
	return slices.ContainsFunc([]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}, func(shortage error) bool {
		return errors.Is(err, shortage)
	})
}

// admit gives a connection a place, for which it may close another; nil if it was
// refused.
func (l *Listener) admit(accepted net.Conn) *Conn {
	conn := &Conn{Conn: accepted, listener: l, peer: l.peer(accepted)}
	victim, refusal := l.makeRoom(conn)
	if victim != nil {
		_ = victim.abort()
	}
	if refusal == "" {
		return conn
	}
	_ = accepted.SetWriteDeadline(time.Now().Add(lastPause)) // whoever is refused gets the reason, or not
	_, _ = accepted.Write([]byte("HTTP/1.1 " + refusal + "\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"))
	_ = accepted.Close()
	return nil
}

// makeRoom adds a connection, and returns the one that has to be closed for it; or
// the status with which it is refused.
func (l *Listener) makeRoom(conn *Conn) (victim *Conn, refusal string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch siblings := l.peers[conn.peer]; {
	case conn.peer != "" && l.PerAddress > 0 && len(siblings) >= l.PerAddress:
		if victim = longestOf(siblings); victim == nil {
			return nil, "429 Too Many Requests"
		}
	case l.idle.Len()+l.busy.Len() >= l.Max:
		l.warnLocked("the limit of connections is reached; those that are idle are closed", "limit", l.Max)
		if victim = l.longest(); victim == nil {
			return nil, "503 Service Unavailable"
		}
	}
	if victim != nil {
		l.remove(victim)
	}
	l.add(conn)
	return victim, ""
}

// closeWaiting closes the connection that has been waiting for its client the
// longest.
func (l *Listener) closeWaiting() {
	l.mu.Lock()
	victim := l.longest()
	if victim != nil {
		l.remove(victim)
	}
	l.mu.Unlock()
	if victim != nil {
		_ = victim.abort()
	}
}

// longest returns the connection that has been idle the longest or, if there is
// none, that has been waiting for its client the longest; nil for none. l.mu is held.
func (l *Listener) longest() *Conn {
	if first := l.idle.Front(); first != nil {
		return first.Value.(*Conn) //nolint:forcetypeassert // all are
	}
	for e := l.busy.Front(); e != nil; e = e.Next() {
		if conn := e.Value.(*Conn); conn.waiting.Load() { //nolint:forcetypeassert // all are
			return conn
		}
	}
	return nil
}

// longestOf is longest of some connections.
func longestOf(conns map[*Conn]struct{}) (longest *Conn) {
	for conn := range conns {
		if !conn.idle && !conn.waiting.Load() {
			continue
		}
		if longest == nil || conn.idle && !longest.idle || conn.idle == longest.idle && conn.since.Before(longest.since) {
			longest = conn
		}
	}
	return longest
}

// add adds an idle connection. l.mu is held.
func (l *Listener) add(conn *Conn) {
	conn.idle, conn.since = true, time.Now()
	conn.place = l.idle.PushBack(conn)
	if l.peers[conn.peer] == nil {
		l.peers[conn.peer] = map[*Conn]struct{}{}
	}
	l.peers[conn.peer][conn] = struct{}{}
}

// remove removes a connection, once. l.mu is held.
func (l *Listener) remove(conn *Conn) {
	if conn.place == nil {
		return
	}
	l.idle.Remove(conn.place)
	l.busy.Remove(conn.place) // a list removes what is its own
	conn.place = nil
	delete(l.peers[conn.peer], conn)
	if len(l.peers[conn.peer]) == 0 {
		delete(l.peers, conn.peer)
	}
}

// peer returns the address under which a connection is counted; "" if it is a
// proxy's.
func (l *Listener) peer(conn net.Conn) string {
	remote, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return ""
	}
	address := remote.Addr().Unmap()
	if slices.ContainsFunc(l.Proxies, func(p netip.Prefix) bool { return p.Contains(address) }) {
		return ""
	}
	return auth.Network(address)
}

// warn logs at most one warning of a kind in a minute.
func (l *Listener) warn(text string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.warnLocked(text, args...)
}

func (l *Listener) warnLocked(text string, args ...any) {
	if now := time.Now(); now.Sub(l.warned[text]) > warnPause {
		l.warned[text] = now
		l.Log.Warn(text, args...)
	}
}
