package web

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// ClientIP returns the address of the client: that of the peer or, if the peer is a
// trusted proxy, the one in its X-Forwarded-For.
func (s *Server) ClientIP(c *fiber.Ctx) netip.Addr {
	peer, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	var forwarded []string
	for _, value := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		forwarded = append(forwarded, strings.Split(string(value), ",")...)
	}
	return clientOf(peer.Unmap(), forwarded, s.proxies)
}

// clientOf reads X-Forwarded-For from the right, as long as the hop before was a
// trusted proxy. Anything further to the left may be forged.
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

// Via returns the path on which the event of a request has come to an account. It
// returns webhook.ErrLoop if the event must not be accepted.
func Via(c *fiber.Ctx, instance webhook.Instance, account webhook.AccountID) (webhook.Via, error) {
	return instance.Arrive(string(bytes.Join(c.Request().Header.PeekAll(webhook.ViaHeader), []byte(","))), account)
}

// Credentials returns the credentials of the Authorization header for a scheme such
// as "Bearer"; "" if there are none.
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
