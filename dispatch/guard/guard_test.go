package guard_test

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"bookhook/dispatch/guard"
)

func mustGuard(t testing.TB, allow string) *guard.Guard {
	t.Helper()
	g, err := guard.New(allow)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGuard(t *testing.T) {
	t.Parallel()
	refused := strings.Fields(`
		0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 100.100.100.200 127.0.0.1 127.255.255.255
		168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1
		192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1
		255.255.255.254 255.255.255.255
		:: ::1 fc00::1 fd12:3456::1 fd00:ec2::254 fd20:ce::254 fe80::1 fe80::1%eth0 febf::1 fec0::1 ff02::1 ff0e::1
		::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:7f00:1 ::127.0.0.1 ::10.0.0.1 ::ffff:0:127.0.0.1 ::2
		64:ff9b::10.0.0.1 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 64:ff9b:1::8.8.8.8
		2002:7f00:1:: 2002:808:808::1 2001::1 2001:0:53aa:64c::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 3fff::1
		100::1 5f00::1 4000::1 8000::1`)
	public := strings.Fields(`
		1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255 169.255.0.0
		172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
		2606:4700::1111 2a00:1450::1 2001:4860:4860::8888 2001:200::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8`)
	g := mustGuard(t, "")
	for _, text := range refused {
		if g.Check(netip.MustParseAddr(text)) == nil {
			t.Errorf("%s is called, want it refused", text)
		}
	}
	for _, text := range public {
		if err := g.Check(netip.MustParseAddr(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestGuardAllows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		allow, address string
		want           bool
	}{
		{"10.0.0.0/8", "10.1.2.3", true},
		{"10.0.0.0/8", "11.1.2.3", true},
		{"10.0.0.0/8", "192.168.0.1", false},
		{"10.0.0.0/8", "::ffff:10.1.2.3", true},
		{"10.0.0.0/8", "64:ff9b::10.1.2.3", true},
		{"10.9.9.9/8", "10.1.2.3", true},
		{" 10.0.0.1 , 127.0.0.1,", "127.0.0.1", true},
		{"10.0.0.1", "10.0.0.2", false},
		{"::ffff:10.0.0.1", "10.0.0.1", true},
		{"::ffff:10.0.0.0/104", "10.0.0.1", true},
		{"::1", "::1", true},
		{"::1", "127.0.0.1", false},
		{"fe80::/10", "fe80::1%eth0", true},
		{"fd00::/8", "fd00::1", true},
		{"2002::/16", "2002:7f00:1::", true},
		{"64:ff9b::/96", "64:ff9b::10.0.0.1", true},
		{"all", "127.0.0.1", true},
		{"all", "ff02::1", true},
	} {
		if got := mustGuard(t, tt.allow).Check(netip.MustParseAddr(tt.address)) == nil; got != tt.want {
			t.Errorf("%q, %s: got %t, want %t", tt.allow, tt.address, got, tt.want)
		}
	}
}

func TestNewGuardNamesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"example.com", "10.0.0.0/33", "10.0.0", "fe80::1%eth0", "::ffff:0:0/90", "ALL", "10.0.0.0-10.0.0.9"} {
		_, err := guard.New("127.0.0.1, " + wrong)
		if err == nil || !strings.Contains(err.Error(), wrong) || !strings.Contains(err.Error(), "--allow-private-targets") {
			t.Errorf("%s: got %v, want an error that names it and the setting", wrong, err)
		}
	}
}

func TestBlockedErrorNamesAddressAndSetting(t *testing.T) {
	t.Parallel()
	err := mustGuard(t, "").Control("tcp4", "10.0.0.5:443", nil)
	for _, want := range []string{"10.0.0.5", "private", "--allow-private-targets"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %s", err, want)
		}
	}
	if err := mustGuard(t, "").Control("tcp6", "[2606:4700::1111]:443", nil); err != nil {
		t.Error(err)
	}
	if mustGuard(t, "").Control("unix", "/run/socket", nil) == nil {
		t.Error("a socket is dialled")
	}
}

func TestGuardCheckURL(t *testing.T) {
	t.Parallel()
	g := mustGuard(t, "192.168.7.0/24")
	for _, refused := range []string{
		"http://localhost/x", "https://LOCALHOST:8443/", "http://localhost./", "http://app.localhost/", "http://localhost.localdomain/",
		"http://127.0.0.1/", "http://127.1/", "http://127.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/",
		"http://0X7F.0.0.1/", "http://0177.0.0.1/", "http://017700000001/", "http://0/", "http://10.1/", "http://192.168.0.1./",
		"http://[::1]/", "http://[::ffff:127.0.0.1]:80/", "http://[64:ff9b::7f00:1]/", "http://169.254.169.254/latest/meta-data",
		"http://１２７.０.０.１/", "http://127。0。0。1/",
	} {
		if err := g.CheckURL(refused); err == nil || !strings.Contains(err.Error(), "--allow-private-targets") {
			t.Errorf("%s: got %v, want it refused", refused, err)
		}
	}
	for _, fine := range []string{
		"https://example.com/", "https://8.8.8.8/", "http://192.168.7.9/", "http://0xc0.0xa8.7.1/", "https://localhost.example.com/", "https://my-localhost/",
		"https://1.2.3.4.5/", "https://256.1.1.1/", "https://0x/", "https://127.0.0.1.example.com/", "https://fe80/", "https://4294967296/", "::", "",
	} {
		if err := g.CheckURL(fine); err != nil {
			t.Errorf("%s: got %v, want nothing", fine, err)
		}
	}
	if err := mustGuard(t, "127.0.0.1").CheckURL("http://localhost:3000/"); err != nil {
		t.Errorf("got %v for localhost, which is allowed", err)
	}
}

// FuzzGuard: what the standard library calls special is never allowed, in no
// disguise.
func FuzzGuard(f *testing.F) {
	for _, text := range []string{"127.0.0.1", "10.0.0.1", "8.8.8.8", "::1", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::1", "2606:4700::1111", "ff02::1"} {
		f.Add(netip.MustParseAddr(text).AsSlice())
	}
	g := mustGuard(f, "")
	f.Fuzz(func(t *testing.T, b []byte) {
		addr, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		plain := addr.Unmap()
		special := plain.IsLoopback() || plain.IsPrivate() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified()
		err := g.Check(addr)
		if special && err == nil {
			t.Errorf("%s is called", addr)
		}
		for _, disguise := range disguises(plain) {
			if (g.Check(disguise) == nil) != (err == nil) {
				t.Errorf("%s and %s are judged differently", addr, disguise)
			}
		}
		host := addr.String()
		if addr.Is6() {
			host = "[" + host + "]"
		}
		if (g.CheckURL("http://"+host+"/") == nil) != (err == nil) {
			t.Errorf("%s is judged differently in a URL", addr)
		}
	})
}

// disguises are the IPv6 addresses by which the network reaches an IPv4 one, and the address itself.
func disguises(addr netip.Addr) []netip.Addr {
	list := []netip.Addr{addr}
	if !addr.Is4() {
		return append(list, addr.WithZone("eth0"))
	}
	for _, prefix := range []string{"::ffff:0.0.0.0", "64:ff9b::", "::ffff:0:0.0.0.0"} {
		b := netip.MustParseAddr(prefix).As16()
		copy(b[12:], addr.AsSlice())
		list = append(list, netip.AddrFrom16(b))
	}
	return list
}

// FuzzCheckURL: whatever is typed, nothing panics, and an address is classified
// as it is when it is dialled.
func FuzzCheckURL(f *testing.F) {
	for _, text := range []string{"http://127.1/", "http://0x7f.1/x", "http://[::1%25eth0]/", "https://example.com", "http://1.2.3.4.5/"} {
		f.Add(text)
	}
	g := mustGuard(f, "")
	f.Fuzz(func(t *testing.T, text string) {
		got := g.CheckURL(text)
		_, blocked := errors.AsType[*guard.BlockedError](got)
		_, unknown := errors.AsType[*net.DNSError](got)
		if got != nil && !blocked && !unknown {
			t.Errorf("%q: got %v", text, got)
		}
		u, err := url.Parse(text)
		if err != nil {
			return
		}
		addr, err := netip.ParseAddr(u.Hostname())
		if err == nil && (got == nil) != (g.Check(addr) == nil) {
			t.Errorf("%q: got %v, want %v", text, got, g.Check(addr))
		}
	})
}
