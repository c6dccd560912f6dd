package guard

import (
	"fmt"
	"net/netip"
	"net/url"
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

// Message tells a person what is wrong with the address.
func (e *BlockedError) Message() webhook.Message {
	return webhook.NewMessage("attempt.blocked", e.Addr).Because(e.Kind.Message())
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

// CheckURL checks a URL by its text alone: it returns a [*BlockedError] if the
// host is localhost, or an address in any spelling, that the guard refuses.
// Other names are checked when they are dialled.
func (g *Guard) CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return nil //nolint:nilerr // the caller validates the URL itself
	}
	addr, ok := parseHost(hostOf(u))
	if !ok {
		return nil
	}
	return g.Check(addr)
}

// hostOf returns the host of a URL in one spelling.
func hostOf(u *url.URL) string {
	return strings.TrimSuffix(strings.ToLower(strings.Map(toHalfWidth, u.Hostname())), ".")
}

// parseHost returns the address of a host that is an IP address, or a name
// that is defined to be the loopback address.
func parseHost(host string) (netip.Addr, bool) {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "localhost.localdomain" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr, true
	}
	return parseLegacyIPv4(host)
}
