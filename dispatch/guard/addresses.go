package guard

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"bookhook/webhook"
)

// Kind is why an address is not of the public internet.
type Kind string

// The kinds of addresses.
const (
	public        Kind = ""
	noAddress     Kind = "no_address" // not an IP address at all
	metadata      Kind = "metadata"
	loopback      Kind = "loopback"
	private       Kind = "private"
	linkLocal     Kind = "link_local"
	sharedNAT     Kind = "shared_nat"
	unspecified   Kind = "unspecified"
	multicast     Kind = "multicast"
	broadcast     Kind = "broadcast"
	protocols     Kind = "protocols"
	documentation Kind = "documentation"
	benchmarks    Kind = "benchmarks"
	relay6to4     Kind = "6to4_relay"
	retired6to4   Kind = "6to4"
	localNAT64    Kind = "local_nat64"
	teredo        Kind = "teredo"
	reserved      Kind = "reserved"
)

// Message is a phrase such as "a private address".
func (k Kind) Message() webhook.Message { return webhook.NewMessage("address." + string(k)) }

// special lists the ranges that are not of the public internet, from IANA's
// special-purpose registries and the documentation of cloud providers. The
// first that contains an address decides its kind.
var special = []struct {
	prefix netip.Prefix
	kind   Kind
}{
	{netip.MustParsePrefix("169.254.169.254/32"), metadata},
	{netip.MustParsePrefix("169.254.170.2/32"), metadata},
	{netip.MustParsePrefix("100.100.100.200/32"), metadata},
	{netip.MustParsePrefix("168.63.129.16/32"), metadata},
	{netip.MustParsePrefix("192.0.0.192/32"), metadata},
	{netip.MustParsePrefix("fd00:ec2::254/128"), metadata},
	{netip.MustParsePrefix("fd20:ce::254/128"), metadata},
	{netip.MustParsePrefix("127.0.0.0/8"), loopback},
	{netip.MustParsePrefix("10.0.0.0/8"), private},
	{netip.MustParsePrefix("172.16.0.0/12"), private},
	{netip.MustParsePrefix("192.168.0.0/16"), private},
	{netip.MustParsePrefix("169.254.0.0/16"), linkLocal},
	{netip.MustParsePrefix("100.64.0.0/10"), sharedNAT},
	{netip.MustParsePrefix("0.0.0.0/8"), unspecified},
	{netip.MustParsePrefix("224.0.0.0/4"), multicast},
	{netip.MustParsePrefix("255.255.255.255/32"), broadcast},
	{netip.MustParsePrefix("192.0.0.0/24"), protocols},
	{netip.MustParsePrefix("192.0.2.0/24"), documentation},
	{netip.MustParsePrefix("198.51.100.0/24"), documentation},
	{netip.MustParsePrefix("203.0.113.0/24"), documentation},
	{netip.MustParsePrefix("198.18.0.0/15"), benchmarks},
	{netip.MustParsePrefix("192.88.99.0/24"), relay6to4},
	{netip.MustParsePrefix("240.0.0.0/4"), reserved},

	{netip.MustParsePrefix("::/128"), unspecified},
	{netip.MustParsePrefix("::1/128"), loopback},
	{netip.MustParsePrefix("fc00::/7"), private},
	{netip.MustParsePrefix("fec0::/10"), private},
	{netip.MustParsePrefix("fe80::/10"), linkLocal},
	{netip.MustParsePrefix("ff00::/8"), multicast},
	{netip.MustParsePrefix("64:ff9b:1::/48"), localNAT64},
	{netip.MustParsePrefix("2002::/16"), retired6to4},
	{netip.MustParsePrefix("2001::/32"), teredo},
	{netip.MustParsePrefix("2001:db8::/32"), documentation},
	{netip.MustParsePrefix("3fff::/20"), documentation},
	{netip.MustParsePrefix("2001::/23"), protocols},
}

// globalUnicast is where IANA assigns public IPv6 addresses; the rest is reserved.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// classify returns the kind of an address, and the IPv4 address inside it, or
// the address itself.
//
// An IPv6 address that the network translates to an IPv4 one (mapped,
// compatible, translated, NAT64) is classified by the IPv4 address.
func classify(addr netip.Addr) (Kind, netip.Addr) {
	addr = addr.WithZone("")
	if inner, ok := embedded(addr); ok {
		addr = inner
	}
	for _, s := range special {
		if s.prefix.Contains(addr) {
			return s.kind, addr
		}
	}
	if addr.Is6() && !globalUnicast.Contains(addr) {
		return reserved, addr
	}
	return public, addr
}

// embedding lists the ranges that hold an IPv4 address in their last 32 bits.
var embedding = []netip.Prefix{
	netip.MustParsePrefix("::/96"),           // IPv4-compatible
	netip.MustParsePrefix("::ffff:0:0:0/96"), // IPv4-translated
	netip.MustParsePrefix("64:ff9b::/96"),    // NAT64, by which an IPv6-only host reaches IPv4
}

// embedded returns the IPv4 address inside an IPv6 one, if there is one.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	if addr.Is4In6() {
		return addr.Unmap(), true
	}
	b := addr.As16()
	if tail := binary.BigEndian.Uint32(b[12:]); !addr.Is6() || tail <= 1 && embedding[0].Contains(addr) {
		return addr, false // :: and ::1 are no IPv4 addresses
	}
	for _, c := range embedding {
		if c.Contains(addr) {
			return netip.AddrFrom4([4]byte(b[12:])), true
		}
	}
	return addr, false
}

// parseLegacyIPv4 parses the spellings of an IPv4 address that some resolvers
// accept and netip does not: fewer than four parts, octal, hexadecimal.
func parseLegacyIPv4(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var value uint64
	for i, part := range parts {
		n, ok := parseLegacyPart(part)
		bits := 8
		if i == len(parts)-1 { // the last part fills the remaining bytes
			bits = 8 * (5 - len(parts))
		}
		if !ok || n >= 1<<bits {
			return netip.Addr{}, false
		}
		value = value<<bits | n
	}
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(value)))), true
}

func parseLegacyPart(part string) (uint64, bool) {
	base := 10
	if hex, ok := strings.CutPrefix(part, "0x"); ok {
		part, base = hex, 16
	} else if len(part) > 1 && part[0] == '0' {
		base = 8
	}
	n, err := strconv.ParseUint(part, base, 32)
	return n, err == nil
}
