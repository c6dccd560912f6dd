package dispatch

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// allowSetting is the setting that a refusal names.
const allowSetting = "--allow-private-targets"

// Guard decides which addresses Bookhook calls: those of the public internet,
// and those that whoever runs it allowed. The zero value allows nothing else.
//
// It stands in the dialer, behind name resolution, so that a name that points
// into the own network is refused whatever it resolved to a moment before.
type Guard struct {
	all     bool
	allowed []netip.Prefix
}

// NewGuard reads the setting --allow-private-targets: addresses and CIDR
// ranges, set apart by commas, or "all"; "" allows public addresses only. The
// error names every item that cannot be read.
func NewGuard(allow string) (*Guard, error) {
	g := &Guard{}
	var wrong []string
	for item := range strings.SplitSeq(allow, ",") {
		switch item = strings.TrimSpace(item); item {
		case "":
		case "all":
			g.all = true
		default:
			prefix, ok := parsePrefix(item)
			if !ok {
				wrong = append(wrong, fmt.Sprintf("%q", item))
				continue
			}
			g.allowed = append(g.allowed, prefix)
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s: %s: neither an address, nor a range such as 10.0.0.0/8, nor all",
			allowSetting, strings.Join(wrong, ", "))
	}
	return g, nil
}

// parsePrefix reads a range or a single address; an IPv4-mapped one stands for
// the IPv4 address.
func parsePrefix(item string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(item); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(item)
	if err != nil {
		return netip.Prefix{}, false
	}
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, false
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), true
}

// BlockedError says that the guard refused an address; its text is meant for
// the operator.
type BlockedError struct {
	Addr netip.Addr // as dialled
	Kind string     // such as "a private address"
}

// Error names the address, what it is, and the setting that would allow it.
func (e *BlockedError) Error() string {
	return fmt.Sprintf("Bookhook does not call %s: it is %s. Use an address that is reachable from the internet; "+
		"whoever runs this Bookhook can allow others with %s.", e.Addr, e.Kind, allowSetting)
}

// Check returns a [*BlockedError] when the address may not be called.
func (g *Guard) Check(addr netip.Addr) error {
	kind, plain := classify(addr)
	if kind == "" || g.all || g.allows(addr.WithZone("")) || g.allows(plain) {
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

// Control is for [net.Dialer]: it sees every address right before it is
// dialled, after names were resolved. Its error wraps nothing and is a
// [*BlockedError].
func (g *Guard) Control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil { // a network without addresses, which is never dialled
		return &BlockedError{Kind: "no internet address"}
	}
	return g.Check(target.Addr())
}

// CheckURL says in words what is wrong with calling a URL by its text alone:
// its host is localhost, or an address in any spelling, that the guard refuses.
// "" when nothing is known to be wrong: names are looked up when they are
// called.
func (g *Guard) CheckURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	host := strings.TrimSuffix(strings.ToLower(strings.Map(narrow, u.Hostname())), ".")
	addr, ok := parseHost(host)
	if !ok {
		return ""
	}
	if err := g.Check(addr); err != nil {
		return err.Error()
	}
	return ""
}

// parseHost finds the address in a host that is one, or that stands for one by
// definition.
func parseHost(host string) (netip.Addr, bool) {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "localhost.localdomain" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr, true
	}
	return parseOddIPv4(host)
}
