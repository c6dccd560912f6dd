package web

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// ClientIP is the address that a request comes from: that of the peer, or if the
// peer is a trusted proxy, what it says in X-Forwarded-For.
func (s *Server) ClientIP(c *fiber.Ctx) netip.Addr {
	peer, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	var forwarded []string
	for _, value := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		forwarded = append(forwarded, strings.Split(string(value), ",")...)
	}
	return clientOf(peer.Unmap(), forwarded, s.proxies)
}

// clientOf goes back from the peer for as long as a trusted proxy says where it
// had the request from. What is further to the left, anybody can have written.
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

// Credentials are what the Authorization header carries by this scheme, such as
// "Bearer"; "" for none.
func Credentials(c *fiber.Ctx, scheme string) string {
	used, text, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if !strings.EqualFold(used, scheme) {
		return ""
	}
	return strings.TrimSpace(text)
}

// BasicAuth returns the user name and password of Basic authentication.
func BasicAuth(c *fiber.Ctx) (user, password string, ok bool) {
	text, err := base64.StdEncoding.DecodeString(Credentials(c, "Basic"))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(text), ":")
}
