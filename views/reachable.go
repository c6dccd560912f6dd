package views

import (
	"net/netip"
	"net/url"
	"strings"

	"bookhook/webhook"
)

// addressWarning says why a platform cannot call an address of this Bookhook, or should
// not, and what to do; "" if nothing is known against it.
func addressWarning(address, platform string, reader webhook.User) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	todo := "Ask the person who runs this Bookhook to give it a public address that begins with https://."
	if reader.Role == webhook.RoleAdmin {
		todo = "Make Bookhook reachable at a public address with HTTPS, and start it with --base-url https://…: the addresses here then begin with that."
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	switch host := strings.ToLower(u.Hostname()); {
	case host == "localhost" || strings.HasSuffix(host, ".localhost") || ip.IsLoopback():
		return platform + " cannot call this address: it leads to your own computer. " + todo
	case ip.IsPrivate() || ip.IsLinkLocalUnicast():
		return platform + " cannot call this address: it is inside your network. " + todo
	case u.Scheme != "https":
		return "Bookings would travel to this address without encryption, so that others could read them. " + todo
	}
	return ""
}
