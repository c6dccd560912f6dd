package guard

import (
	"container/list"
	"slices"
	"sync"
	"time"

	"bookhook/webhook"
)

// sweepEvery is how often idle connections are checked.
const sweepEvery = time.Second

// connKey is what the connections that may be used for the same requests have in
// common. Those of an account are its own.
type connKey struct {
	account      webhook.AccountID
	scheme, host string
}

// idleConns are the connections that are kept and not in use. While there are any,
// those that are too old, were closed by the peer or have received something are
// closed every second.
type idleConns struct {
	most    int
	timeout time.Duration

	mu    sync.Mutex
	all   *list.List                  // of idleConn, the longest idle first
	byKey map[connKey][]*list.Element // the longest idle first
	sweep *time.Timer                 // runs while there are any
}

type idleConn struct {
	*conn
	key   connKey
	since time.Time
}

func newIdleConns(most int, timeout time.Duration) *idleConns {
	return &idleConns{most: most, timeout: timeout, all: list.New(), byKey: map[connKey][]*list.Element{}}
}

// put keeps a connection, and closes the longest idle one if there are too many.
func (s *idleConns) put(key connKey, c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.byKey[key]) >= webhook.MaxConcurrency {
		_ = c.Close()
		return
	}
	s.byKey[key] = append(s.byKey[key], s.all.PushBack(idleConn{c, key, time.Now()}))
	if s.all.Len() > s.most {
		_ = s.remove(s.all.Front()).Close()
	}
	if s.sweep == nil {
		s.sweep = time.AfterFunc(sweepEvery, s.closeUseless)
	}
}

// take returns a connection on which nothing has arrived; nil if there is none.
func (s *idleConns) take(key connKey) *conn {
	for {
		c := s.newest(key)
		if c == nil || c.silent() {
			return c
		}
		_ = c.Close()
	}
}

func (s *idleConns) newest(key connKey) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of := s.byKey[key]; len(of) > 0 {
		return s.remove(of[len(of)-1]).conn
	}
	return nil
}

// remove removes a connection; the mutex is held.
func (s *idleConns) remove(e *list.Element) idleConn {
	c := s.all.Remove(e).(idleConn) //nolint:errcheck,forcetypeassert // nothing else is there
	of := s.byKey[c.key]
	i := slices.Index(of, e)
	of = slices.Delete(of, i, i+1)
	if s.byKey[c.key] = of; len(of) == 0 {
		delete(s.byKey, c.key)
	}
	return c
}

// closeUseless closes the connections that are not to be used any more.
func (s *idleConns) closeUseless() {
	s.closeIf(func(c idleConn) bool { return time.Since(c.since) > s.timeout || !c.silent() })
}

func (s *idleConns) closeAll() { s.closeIf(func(idleConn) bool { return true }) }

func (s *idleConns) closeIf(useless func(idleConn) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := s.all.Front(); e != nil; {
		next := e.Next()
		if c := e.Value.(idleConn); useless(c) { //nolint:errcheck,forcetypeassert // nothing else is there
			_ = s.remove(e).Close()
		}
		e = next
	}
	switch {
	case s.sweep == nil:
	case s.all.Len() > 0:
		s.sweep.Reset(sweepEvery)
	default:
		s.sweep.Stop()
		s.sweep = nil
	}
}
