package auth

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// LimitWindow is for how long failed attempts are counted.
const LimitWindow = 15 * time.Minute

// Limits of failed attempts within LimitWindow. Those for one name are counted for
// each network separately, so that nobody can lock the owner out from another
// network.
const (
	limitPerName    = 10  // from one network for one name
	limitPerNetwork = 100 // from one network in all
	limitEntries    = 100_000
)

// Limiter counts attempts to sign in, by network and by the name that was used (an
// e-mail address, the id of a client); a success takes its own back ([Limiter.Forgive]).
// Its memory is bounded: beyond 100,000 counts the least recently used is dropped.
// It is safe for concurrent use.
type Limiter struct {
	mu     sync.Mutex
	counts *lru.Cache[limitKey, count]
}

// limitKey is a hash, so that long names take no more memory.
type limitKey [sha256.Size]byte

type count struct {
	n     int
	since time.Time
}

// NewLimiter returns a Limiter that has counted nothing.
func NewLimiter() *Limiter {
	counts, err := lru.New[limitKey, count](limitEntries)
	if err != nil { // only for a size that is not positive
		panic(err)
	}
	return &Limiter{counts: counts}
}

func networkKey(network string) limitKey { return sha256.Sum256([]byte("ip " + network)) }

func nameKey(network, name string) limitKey {
	return sha256.Sum256([]byte("ip " + network + " email " + name))
}

// Allow counts an attempt at now and reports whether it is allowed: at most 10
// within [LimitWindow] for one name from one network, and 100 from one network.
func (l *Limiter) Allow(network, name string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count(networkKey(network), now) <= limitPerNetwork && l.count(nameKey(network, name), now) <= limitPerName
}

// Forgive takes back the attempts of somebody who signed in: all for their name, and
// of the network the one that succeeded, so that those for other names still count.
func (l *Limiter) Forgive(network, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Remove(nameKey(network, name))
	if c, known := l.counts.Get(networkKey(network)); known {
		c.n--
		l.counts.Add(networkKey(network), c)
	}
}

func (l *Limiter) count(key limitKey, now time.Time) int {
	c, known := l.counts.Get(key)
	if !known || now.Sub(c.since) > LimitWindow {
		c = count{since: now}
	}
	c.n++
	l.counts.Add(key, c)
	return c.n
}

// Network returns the network under which attempts from an address are counted: an
// IPv4 address itself, or the /64 of an IPv6 address, since everybody has a whole
// /64.
func Network(addr netip.Addr) string {
	if addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr.WithZone(""), 64).Masked().String()
}
