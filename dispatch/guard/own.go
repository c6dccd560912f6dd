package guard

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
)

// Own is where this Bookhook is reached: its listener, and its base URL. A webhook
// that calls it would send every event back. The zero value has no address.
type Own struct {
	listener netip.AddrPort
	machine  []netip.Addr // the machine's addresses, if the listener is on all of them
	host     string       // of the base URL; "" without one
	port     string
}

// NewOwn returns the addresses of a Bookhook that listens there and has this base
// URL, which may be "". The error says that the addresses of the machine cannot be
// read.
func NewOwn(listener net.Addr, baseURL string) (o Own, err error) {
	if o.listener, err = netip.ParseAddrPort(listener.String()); err == nil && o.listener.Addr().IsUnspecified() {
		o.machine, err = machineAddrs()
	}
	if err != nil {
		return o, err
	}
	base, err := url.Parse(baseURL)
	if err != nil {
		return o, err
	}
	o.host, o.port = hostOf(base), portOf(base)
	return o, nil
}

func machineAddrs() ([]netip.Addr, error) {
	networks, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var all []netip.Addr
	for _, network := range networks {
		if prefix, err := netip.ParsePrefix(network.String()); err == nil {
			all = append(all, prefix.Addr().Unmap())
		}
	}
	return all, nil
}

// Has reports whether a URL leads to this Bookhook, by its text alone: a name that
// merely resolves to one of the addresses does not. Other ports of the machine are
// not Bookhook's.
func (o Own) Has(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	host, port := hostOf(u), portOf(u)
	if o.host != "" && host == o.host && port == o.port {
		return true
	}
	addr, ok := parseHost(host)
	at, err := netip.ParseAddrPort(net.JoinHostPort("::", port))
	return ok && err == nil && o.listener.IsValid() && at.Port() == o.listener.Port() && o.listensOn(addr)
}

// listensOn reports whether a connection to the address reaches the listener. All
// loopback addresses count as one, since localhost is any of them, and so do the
// unspecified ones, which lead there.
func (o Own) listensOn(addr netip.Addr) bool {
	_, addr = classify(addr)
	bound := o.listener.Addr().Unmap().WithZone("")
	if addr.IsLoopback() || addr.IsUnspecified() {
		return bound.IsLoopback() || bound.IsUnspecified()
	}
	return addr == bound || slices.Contains(o.machine, addr)
}

// portOf returns the port of a URL, or that of its scheme.
func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// hostOf returns the host of a URL as it is dialled; one that cannot be dialled as
// it is written.
func hostOf(u *url.URL) string {
	host, err := mapHost(u.Hostname())
	if err != nil {
		return u.Hostname()
	}
	return host
}
