package handlers

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// readProxies reads the addresses and ranges of the trusted proxies.
func readProxies(texts []string) ([]netip.Prefix, error) {
	var proxies []netip.Prefix
	for _, text := range texts {
		if addr, err := netip.ParseAddr(text); err == nil {
			addr = addr.Unmap()
			proxies = append(proxies, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("read the trusted proxies: %w", err)
		}
		proxies = append(proxies, prefix)
	}
	return proxies, nil
}

// clientIP is the address that a request comes from, as far as it can be
// believed.
func (a *app) clientIP(c *fiber.Ctx) netip.Addr {
	peer, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	var forwarded []string
	for _, value := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		forwarded = append(forwarded, strings.Split(string(value), ",")...)
	}
	return clientOf(peer.Unmap(), forwarded, a.proxies)
}

// clientOf goes back from the peer for as long as a trusted proxy says where it
// had the request from. What stands further to the left, anybody can have
// written.
func clientOf(peer netip.Addr, forwarded []string, proxies []netip.Prefix) netip.Addr {
	for _, text := range slices.Backward(forwarded) {
		if !slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(peer) }) {
			break
		}
		before, ok := parseHop(strings.TrimSpace(text))
		if !ok {
			break
		}
		peer = before
	}
	return peer
}

// parseHop reads one address of X-Forwarded-For; some proxies add the port.
func parseHop(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		return withPort.Addr().Unmap().WithZone(""), err == nil
	}
	return addr.Unmap().WithZone(""), true
}

// networkOf is what sign-ins are counted by: everybody has as many IPv6
// addresses as they like, but only one network.
func networkOf(addr netip.Addr) string {
	if addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr.WithZone(""), 64).Masked().String()
}
