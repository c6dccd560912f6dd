package guard

import (
	"net"
	"net/netip"
	"testing"
)

func TestOwn(t *testing.T) {
	t.Parallel()
	own := func(listener, baseURL string) Own {
		o, err := NewOwn(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(listener)), baseURL)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	loopback, everywhere, public := own("127.0.0.1:8080", ""), own("[::]:8080", "https://Hooks.example.com"), own("[2001:db8::7]:443", "http://hooks.example.com:8443")
	everywhere.machine = []netip.Addr{netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("2001:db8::7")}
	for _, c := range []struct {
		own  Own
		url  string
		want bool
	}{
		{loopback, "http://127.0.0.1:8080/in/tourcms/token", true},
		{loopback, "http://localhost:8080", true},
		{loopback, "http://LOCALHOST.:8080/", true},
		{loopback, "http://127.1:8080/", true},
		{loopback, "http://0x7f000001:8080/", true},
		{loopback, "http://０.0.0.0:8080/", true},
		{loopback, "http://[::ffff:127.0.0.1]:8080/", true},
		{loopback, "http://[::1]:8080/", true},
		{loopback, "https://127.0.0.1:8080/", true},
		{loopback, "http://127.0.0.1:8081/", false},
		{loopback, "http://127.0.0.1/", false},
		{loopback, "http://198.51.100.7:8080/", false},
		{loopback, "http://hooks.example.com:8080/", false},
		{everywhere, "http://localhost:8080/", true},
		{everywhere, "http://127.9.9.9:8080/", true},
		{everywhere, "http://198.51.100.7:8080/", true},
		{everywhere, "http://[2001:DB8:0::7]:8080/", true},
		{everywhere, "http://198.51.100.7:8081/", false},
		{everywhere, "https://198.51.100.7/", false},
		{everywhere, "http://198.51.100.8:8080/", false},
		{everywhere, "https://hooks.EXAMPLE.com./in/tourcms/token", true},
		{everywhere, "https://hooks.example.com:443/", true},
		{everywhere, "https://hooks.example.com:8443/", false},
		{everywhere, "https://example.com/", false},
		{public, "https://[2001:db8::7]/", true},
		{public, "http://localhost:443/", false},
		{public, "http://hooks.example.com:8443/", true},
		{public, "http://hooks.example.com/", false},
		{Own{}, "http://0.0.0.0/", false},
	} {
		if got := c.own.Has(c.url); got != c.want {
			t.Errorf("%s: got %t, want %t", c.url, got, c.want)
		}
	}
}

// TestOwnMachine: a listener on every address is reached at those of this machine.
func TestOwnMachine(t *testing.T) {
	t.Parallel()
	o, err := NewOwn(&net.TCPAddr{IP: net.IPv6unspecified, Port: 8080}, "")
	if err != nil || len(o.machine) == 0 {
		t.Fatalf("got %v, %v, want the addresses of this machine", o.machine, err)
	}
	if url := "http://" + net.JoinHostPort(o.machine[0].String(), "8080") + "/"; !o.Has(url) {
		t.Errorf("%s is not an own address", url)
	}
}
