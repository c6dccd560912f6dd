package guard

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"bookhook/webhook"
)

// NewRequest returns a request to a URL, whose host has the one form that is
// looked up, sent as Host and in the TLS handshake, and logged: an international
// name in ASCII, small letters, and no dot at the end. A name that has no such form
// is a [RequestError] as for one that does not exist.
func NewRequest(ctx context.Context, method, address string, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	u := request.URL
	if u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%.200q is not a URL that can be called", address)
	}
	host, err := mapHost(u.Hostname())
	if err != nil {
		return nil, RequestError{Err: err, Host: u.Host}
	}
	u.Host = joinHost(host, u.Port())
	request.Host = u.Host
	return request, nil
}

// joinHost returns the host of a URL; the port may be "".
func joinHost(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host += ":" + port
	}
	return host
}

// mapHost is [webhook.MapHost] with an error, which is a [*net.DNSError].
func mapHost(name string) (string, error) {
	host, ok := webhook.MapHost(name)
	if !ok {
		return "", noSuchHost(name)
	}
	return host, nil
}

func noSuchHost(name string) error {
	return &net.DNSError{Err: "not a host name", Name: strings.ToValidUTF8(name, "\uFFFD"), IsNotFound: true}
}

// CheckURL checks a URL by its text alone: it returns a [*BlockedError] if the
// host is localhost, or an address in any spelling, that the guard refuses, and a
// [*net.DNSError] if it can be no host. Other names are checked when they are dialled.
func (g *Guard) CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return nil //nolint:nilerr // the caller validates the URL itself
	}
	host, err := mapHost(u.Hostname())
	if addr, ok := parseHost(cmp.Or(host, u.Hostname())); ok {
		return g.Check(addr)
	}
	return err
}

// IsAddress reports whether the host of a URL, with or without a port, is an address in any
// spelling, or a name that is defined to be one.
func IsAddress(host string) bool {
	_, ok := parseHost((&url.URL{Host: host}).Hostname())
	return ok
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
