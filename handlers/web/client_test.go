package web

import (
	"net/netip"
	"testing"

	"bookhook/webhook"
)

func TestClientOf(t *testing.T) {
	t.Parallel()
	proxies, err := webhook.ParsePrefixes("10.0.0.0/8,192.0.2.1,2001:db8:1::/48")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "198.51.100.7", nil, "198.51.100.7"},
		{"a peer that is no proxy", "198.51.100.7", []string{"203.0.113.9"}, "198.51.100.7"},
		{"a proxy that says nothing", "192.0.2.1", nil, "192.0.2.1"},
		{"behind a proxy", "192.0.2.1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"what the client made up stands to the left", "192.0.2.1", []string{"1.2.3.4", " 203.0.113.9"}, "203.0.113.9"},
		{"behind two proxies", "192.0.2.1", []string{"1.2.3.4", " 203.0.113.9", " 10.1.1.1"}, "203.0.113.9"},
		{"a proxy that is not trusted", "192.0.2.1", []string{"203.0.113.9", "198.51.100.7", "10.1.1.1"}, "198.51.100.7"},
		{"proxies alone", "192.0.2.1", []string{"10.1.1.2", "10.1.1.1"}, "10.1.1.2"},
		{"nonsense", "192.0.2.1", []string{"203.0.113.9", "unknown"}, "192.0.2.1"},
		{"with a port", "192.0.2.1", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"IPv6", "2001:db8:1::5", []string{"2001:db8:7::9"}, "2001:db8:7::9"},
		{"IPv4 as IPv6", "192.0.2.1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
	} {
		if got := clientOf(netip.MustParseAddr(c.peer), c.forwarded, proxies); got.String() != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
