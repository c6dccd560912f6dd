package auth

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"time"
)

// LimitWindow is for how long failed attempts are counted.
const LimitWindow = 15 * time.Minute

// Limits of failed attempts within LimitWindow. Those for one name are counted for
// each network separately, so that nobody can lock the owner out from another
// network.
const (
	limitPerName    = 10  // from one network for one name
	limitPerNetwork = 100 // from one network in all
)

// Limiter counts attempts, by network and by the name that was used (an e-mail address,
// the id of a client); a success takes its own back ([Limiter.Forgive]). It counts in the
// database, so that several processes count together. It is safe for concurrent use.
type Limiter struct {
	store TryStore
	what  string
}

// TryStore counts attempts; *db.Store is one.
type TryStore interface {
	// CountTry counts an attempt, unless its name or its network had their limit, and
	// reports whether it did.
	CountTry(ctx context.Context, t Try) (counted bool, err error)
	// ForgiveTry forgets the attempts with a name, and one of the network.
	ForgiveTry(ctx context.Context, t Try) error
}

// Try is an attempt. Name and Network are hashes, so that long ones take no more space.
type Try struct {
	Name, Network       []byte
	MaxName, MaxNetwork int       // of those that began to be counted at Since or later
	At, Since           time.Time // LimitWindow lies between them
}

// NewLimiter returns a Limiter for what is attempted, which has a count of its own.
func NewLimiter(store TryStore, what string) *Limiter { return &Limiter{store, what} }

// Allow counts an attempt at now and reports whether it is allowed: at most 10
// within [LimitWindow] for one name from one network, and 100 from one network. What is
// refused is not counted, so that nobody fills the database.
func (l *Limiter) Allow(ctx context.Context, network, name string, now time.Time) (bool, error) {
	t := l.try(network, name)
	t.At, t.Since = now, now.Add(-LimitWindow)
	return l.store.CountTry(ctx, t)
}

// Forgive takes back the attempts of somebody who signed in: all for their name, and
// of the network the one that succeeded, so that those for other names still count.
func (l *Limiter) Forgive(ctx context.Context, network, name string) error {
	return l.store.ForgiveTry(ctx, l.try(network, name))
}

func (l *Limiter) try(network, name string) Try {
	byNetwork := sha256.Sum256([]byte(l.what + " ip " + network))
	byName := sha256.Sum256([]byte(l.what + " ip " + network + " email " + name))
	return Try{Name: byName[:], Network: byNetwork[:], MaxName: limitPerName, MaxNetwork: limitPerNetwork}
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
