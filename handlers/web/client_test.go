package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

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

// FuzzClientOf wants that nobody is taken for another: the address is the peer's unless
// that is a trusted proxy, and what stands to the left of an untrusted one is not seen.
func FuzzClientOf(f *testing.F) {
	for _, text := range []string{"", "203.0.113.9", "1.2.3.4, 10.1.1.1", "unknown,[2001:db8::1]:80", "::ffff:10.0.0.1", "fe80::1%eth0,10.0.0.1:1", ",,"} {
		f.Add([]byte{10, 0, 0, 1}, text)
		f.Add([]byte{198, 51, 100, 7}, text)
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:1::/48")}
	trusted := func(a netip.Addr) bool { return proxies[0].Contains(a) || proxies[1].Contains(a) }
	f.Fuzz(func(t *testing.T, from []byte, forwarded string) {
		peer, ok := netip.AddrFromSlice(from)
		if !ok {
			return
		}
		peer = peer.Unmap()
		got := clientOf(peer, strings.Split(forwarded, ","), proxies)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() || !trusted(peer) && got != peer {
			t.Errorf("%s, %q: got %s", peer, forwarded, got)
		}
		if forged := clientOf(peer, strings.Split("192.0.2.66,"+forwarded, ","), proxies); !trusted(got) && forged != got {
			t.Errorf("%s, %q: got %s with one more address to the left, not %s", peer, forwarded, forged, got)
		}
	})
}

// FuzzBasicAuth wants that credentials are those that net/http reads.
func FuzzBasicAuth(f *testing.F) {
	for _, text := range []string{"", "Basic", "Basic dTpw", "basic  dTpw ", "Basic dTpw=", "Basic dTpwOmEK", "Basic dQ==", "Basic :", "Bearer x", "BASIC dTr/"} {
		f.Add(text)
	}
	var user, password string
	var ok bool
	app := fiber.New(fiber.Config{Immutable: true})
	app.Use(func(c *fiber.Ctx) error {
		user, password, ok = BasicAuth(c)
		return nil
	})
	f.Fuzz(func(t *testing.T, header string) {
		if len(header) > 2000 || strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r > '~' }) {
			return // not a header
		}
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set(fiber.HeaderAuthorization, header)
		response, err := app.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if scheme, value, _ := strings.Cut(strings.Trim(header, " "), " "); value != "" { // more than one space is taken, too
			r.Header.Set(fiber.HeaderAuthorization, scheme+" "+strings.TrimLeft(value, " "))
		}
		wantUser, wantPassword, want := r.BasicAuth()
		if ok != want || ok && (user != wantUser || password != wantPassword) {
			t.Errorf("%q: got %q, %q, %t, want %q, %q, %t", header, user, password, ok, wantUser, wantPassword, want)
		}
	})
}
