package guard

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"bookhook/webhook"
)

// Setting is the command-line setting that allows further addresses.
const Setting = "--allow-private-targets"

// Guard decides which addresses Bookhook calls: those of the public internet,
// and those that the administrator allowed. The zero value allows nothing else.
//
// The dialer calls it after name resolution, so that a name that resolves to a
// private address is refused whatever it resolved to before.
type Guard struct {
	all     bool
	allowed []netip.Prefix
}

// New parses the setting --allow-private-targets: addresses and CIDR ranges,
// separated by commas, or "all"; "" allows public addresses only. The error
// names every item that cannot be parsed.
func New(allow string) (*Guard, error) {
	g := &Guard{}
	var ranges []string
	for item := range strings.SplitSeq(allow, ",") {
		if item = strings.TrimSpace(item); item == "all" {
			g.all = true
			continue
		}
		ranges = append(ranges, item)
	}
	var err error
	if g.allowed, err = webhook.ParsePrefixes(strings.Join(ranges, ",")); err != nil {
		return nil, fmt.Errorf("%s: %w, nor all", Setting, err)
	}
	return g, nil
}

// BlockedError is returned when the guard refuses an address.
type BlockedError struct {
	Addr netip.Addr // as dialled
	Kind Kind       // why it is not public
}

// Error names the address, its kind, and the setting that would allow it.
func (e *BlockedError) Error() string {
	return fmt.Sprintf("%s is not allowed by %s: %s", e.Addr, Setting, e.Kind)
}

// Message tells a person who typed the address what is wrong with it.
func (e *BlockedError) Message() webhook.Message {
	return webhook.NewMessage("attempt.blocked", e.Addr).Because(e.Kind.Message())
}

// MessageFor tells a person what is wrong with the host of a URL. It names the address only
// if the host is one: what a name resolves to may be known inside the network alone.
func (e *BlockedError) MessageFor(host string) webhook.Message {
	if IsAddress(host) {
		return e.Message()
	}
	return webhook.NewMessage("attempt.blocked_name", host).Because(e.Kind.Message())
}

// Check returns a [*BlockedError] if the address may not be called.
func (g *Guard) Check(addr netip.Addr) error {
	kind, plain := classify(addr)
	if kind == public || g.all || g.allows(addr.WithZone("")) || g.allows(plain) {
		return nil
	}
	return &BlockedError{Addr: addr, Kind: kind}
}

func (g *Guard) allows(addr netip.Addr) bool {
	for _, prefix := range g.allowed {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// Control is a [net.Dialer.Control]: it is called right before an address is
// dialled, after name resolution. Its error is a [*BlockedError].
func (g *Guard) Control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil { // a network without IP addresses, which is never dialled
		return &BlockedError{Kind: noAddress}
	}
	return g.Check(target.Addr())
}
