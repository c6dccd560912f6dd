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
		todo = "Make Bookhook reachable at a public address with HTTPS, such as with Caddy in front of it, and start it with --base-url https://…: the addresses here then begin with that."
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	switch {
	case isLoopback(u):
		return platform + " cannot call this address: it leads to your own computer. " + todo
	case ip.IsPrivate() || ip.IsLinkLocalUnicast():
		return platform + " cannot call this address: it is inside your network. " + todo
	case u.Scheme != "https":
		return "Bookings would travel to this address without encryption, so that others could read them. " + todo
	}
	return ""
}

// linksWarning says that nobody can follow the links in messages, and what to do; "" if
// nothing is known against them.
func linksWarning(base string, reader webhook.User) string {
	u, err := url.Parse(base)
	if err != nil || !isLoopback(u) {
		return ""
	}
	text := "The links in messages begin with " + base + ": they work only on the computer that Bookhook runs on. "
	if reader.Role == webhook.RoleAdmin {
		return text + "Start Bookhook with --base-url and the address at which people reach it."
	}
	return text + "Ask the person who runs this Bookhook to give it an address that people can reach."
}

// isLoopback reports whether a URL leads to the computer that opens it.
func isLoopback(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	ip, _ := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip.IsLoopback()
}
