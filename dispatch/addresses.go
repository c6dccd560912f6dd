package dispatch

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// special are the addresses that are not of the public internet, from the
// special-purpose registries of IANA and the manuals of cloud providers. The
// first that contains an address names it.
var special = []struct {
	prefix netip.Prefix
	kind   string
}{
	{netip.MustParsePrefix("169.254.169.254/32"), "the metadata service of a cloud provider"},
	{netip.MustParsePrefix("169.254.170.2/32"), "the metadata service of a cloud provider"},
	{netip.MustParsePrefix("100.100.100.200/32"), "the metadata service of a cloud provider"},
	{netip.MustParsePrefix("168.63.129.16/32"), "the metadata service of a cloud provider"},
	{netip.MustParsePrefix("192.0.0.192/32"), "the metadata service of a cloud provider"},
	{netip.MustParsePrefix("fd00:ec2::254/128"), "the metadata service of a cloud provider"},
	{netip.MustParsePrefix("fd20:ce::254/128"), "the metadata service of a cloud provider"},
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address"},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address"},
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address"},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "an address shared behind a provider's NAT"},
	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified address"},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address"},
	{netip.MustParsePrefix("255.255.255.255/32"), "the broadcast address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "an address reserved for protocols"},
	{netip.MustParsePrefix("192.0.2.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("198.51.100.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("198.18.0.0/15"), "an address for benchmarks"},
	{netip.MustParsePrefix("192.88.99.0/24"), "an address of the retired 6to4 relays"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},

	{netip.MustParsePrefix("::/128"), "an unspecified address"},
	{netip.MustParsePrefix("::1/128"), "a loopback address"},
	{netip.MustParsePrefix("fc00::/7"), "a private address"},
	{netip.MustParsePrefix("fec0::/10"), "a private address"},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address"},
	{netip.MustParsePrefix("ff00::/8"), "a multicast address"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "an address of a local NAT64"},
	{netip.MustParsePrefix("2002::/16"), "an address of the retired 6to4"},
	{netip.MustParsePrefix("2001::/32"), "a Teredo address"},
	{netip.MustParsePrefix("2001:db8::/32"), "an address for documentation"},
	{netip.MustParsePrefix("3fff::/20"), "an address for documentation"},
	{netip.MustParsePrefix("2001::/23"), "an address reserved for protocols"},
}

// global is where IANA gives out public IPv6 addresses; all else is reserved.
var global = netip.MustParsePrefix("2000::/3")

// classify says what makes an address special, "" for a public one, and
// returns the IPv4 address inside it, or the address itself.
//
// An IPv6 address that a machine on the way turns into an IPv4 one (mapped,
// compatible, translated, NAT64) is judged by that.
func classify(addr netip.Addr) (string, netip.Addr) {
	addr = addr.WithZone("")
	if inner, ok := embedded(addr); ok {
		addr = inner
	}
	for _, s := range special {
		if s.prefix.Contains(addr) {
			return s.kind, addr
		}
	}
	if addr.Is6() && !global.Contains(addr) {
		return "a reserved address", addr
	}
	return "", addr
}

// carriers are the ranges that hold an IPv4 address in their last 32 bits.
var carriers = []netip.Prefix{
	netip.MustParsePrefix("::/96"),           // IPv4-compatible
	netip.MustParsePrefix("::ffff:0:0:0/96"), // IPv4-translated
	netip.MustParsePrefix("64:ff9b::/96"),    // NAT64: how an IPv6-only host reaches IPv4
}

func embedded(addr netip.Addr) (netip.Addr, bool) {
	if addr.Is4In6() {
		return addr.Unmap(), true
	}
	b := addr.As16()
	if tail := binary.BigEndian.Uint32(b[12:]); !addr.Is6() || tail <= 1 && carriers[0].Contains(addr) {
		return addr, false // :: and ::1 are no IPv4 addresses
	}
	for _, c := range carriers {
		if c.Contains(addr) {
			return netip.AddrFrom4([4]byte(b[12:])), true
		}
	}
	return addr, false
}

// parseOddIPv4 reads the spellings of an IPv4 address that some resolvers take
// and netip does not: fewer than four parts, octal, hexadecimal.
func parseOddIPv4(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var value uint64
	for i, part := range parts {
		n, ok := parseOddPart(part)
		bits := 8
		if i == len(parts)-1 { // the last part fills what is left
			bits = 8 * (5 - len(parts))
		}
		if !ok || n >= 1<<bits {
			return netip.Addr{}, false
		}
		value = value<<bits | n
	}
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(value)))), true
}

func parseOddPart(part string) (uint64, bool) {
	base := 10
	if hex, ok := strings.CutPrefix(part, "0x"); ok {
		part, base = hex, 16
	} else if len(part) > 1 && part[0] == '0' {
		base = 8
	}
	n, err := strconv.ParseUint(part, base, 32)
	return n, err == nil
}

// narrow turns full-width letters, digits and dots into plain ones, as
// internationalised names are read.
func narrow(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r == '。' || r == '｡':
		return '.'
	}
	return r
}
