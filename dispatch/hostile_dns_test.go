package dispatch_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"bookhook/dispatch"
	"bookhook/dispatch/guard"
	"bookhook/messages"
	"bookhook/webhook"
)

// Codes of a DNS answer.
const (
	serverFailure = 2
	noSuchName    = 3
)

// names is the address of the name server that all names are looked up at, nil
// for that of the system.
var names atomic.Pointer[string]

// TestMain takes the place of the resolver for good: look-ups go on in the
// background after the callers have left.
func TestMain(m *testing.M) {
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if own := names.Load(); own != nil {
			network, address = "udp4", *own
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	os.Exit(m.Run())
}

// nameServer answers every query for a name, while the test runs, with what answer
// says.
func nameServer(t *testing.T, answer func(name string) (addrs []netip.Addr, code byte)) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for buf := make([]byte, 1500); ; {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			addrs, code := answer(dnsName(buf[:n]))
			_, _ = conn.WriteTo(dnsAnswer(buf[:n], addrs, code), from)
		}
	}()
	address := conn.LocalAddr().String()
	names.Store(&address)
	t.Cleanup(func() {
		names.Store(nil)
		conn.Close()
	})
}

// dnsName is the name that a query asks for, without the dot at its end.
func dnsName(query []byte) string {
	var labels []string
	for rest := query[12:]; rest[0] > 0; rest = rest[1+rest[0]:] {
		labels = append(labels, string(rest[1:1+rest[0]]))
	}
	return strings.Join(labels, ".")
}

// dnsAnswer repeats the question and gives those of the addresses that are of
// the kind that it asks for.
func dnsAnswer(query []byte, addrs []netip.Addr, code byte) []byte {
	end := 12 + bytes.IndexByte(query[12:], 0) + 5 // name, kind and class
	kind := binary.BigEndian.Uint16(query[end-4:])
	out := slices.Concat(query[:2], []byte{0x81, 0x80 | code, 0, 1, 0, 0, 0, 0, 0, 0}, query[12:end])
	for _, addr := range addrs {
		if addr.Is4() != (kind == 1) || kind != 1 && kind != 28 {
			continue
		}
		out[7]++
		out = append(out, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(addr.BitLen()/8))
		out = append(out, addr.AsSlice()...)
	}
	return out
}

func addrs(list ...string) []netip.Addr {
	var parsed []netip.Addr
	for _, text := range list {
		parsed = append(parsed, netip.MustParseAddr(text))
	}
	return parsed
}

// twoFaces are two receivers on the same port: one at an address that may be
// called, 127.0.0.2, and one inside, 127.0.0.1, that counts who gets there.
func twoFaces(t *testing.T) (port string, inside *atomic.Int32) {
	t.Helper()
	inside = new(atomic.Int32)
	within := receiver(t, func(http.ResponseWriter, *http.Request) { inside.Add(1) })
	_, port, _ = net.SplitHostPort(within.Listener.Addr().String())
	l, err := net.Listen("tcp4", "127.0.0.2:"+port)
	if err != nil {
		t.Skip("this machine has one loopback address: ", err)
	}
	outside := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close") // so that the next attempt looks the name up again
	}))
	outside.Listener.Close()
	outside.Listener = l
	outside.Start()
	t.Cleanup(outside.Close)
	return port, inside
}

// A name that changes between the check and the dial is judged by what is
// dialled: there is no other check.
func TestNameChangesBetweenCheckAndDial(t *testing.T) {
	port, inside := twoFaces(t)
	var current atomic.Pointer[[]netip.Addr]
	nameServer(t, func(string) ([]netip.Addr, byte) { return *current.Load(), 0 })
	r := newTarget(t, dispatch.Options{Guard: mustGuard(t, "127.0.0.2")})
	url := "http://rebind.example:" + port + "/latest/meta-data"
	for _, tt := range []struct {
		name, kind string
		answer     []netip.Addr
	}{
		{"allowed", "", addrs("127.0.0.2")},
		{"loopback", "loopback", addrs("127.0.0.1")},
		{"metadata", "metadata service", addrs("169.254.169.254")},
		{"IPv6 metadata", "metadata service", addrs("fd00:ec2::254")},
		{"IPv6 loopback", "loopback", addrs("::1")},
		{"mapped", "loopback", addrs("::ffff:127.0.0.1")},
		{"NAT64", "loopback", addrs("64:ff9b::7f00:1")},
		{"private and private", "private", addrs("10.0.0.1", "fd00::1")},
		{"unspecified", "unspecified", addrs("0.0.0.0")},
		{"one refused, one allowed", "", addrs("127.0.0.1", "127.0.0.2")},
		{"many refused, one allowed", "", addrs("10.0.0.1", "169.254.169.254", "::1", "127.0.0.2", "127.0.0.1")},
		{"allowed again", "", addrs("127.0.0.2")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			current.Store(&tt.answer)
			a := r.try(url)
			if tt.kind == "" {
				check(t, a, "")
				if a.RemoteAddr != "127.0.0.2:"+port {
					t.Errorf("called %s, want the allowed address", a.RemoteAddr)
				}
				return
			}
			check(t, a, webhook.FailBlocked, tt.kind, "ask the person who runs this Bookhook to allow it")
			probe := messages.Text(r.Probe(t.Context(), url).Message)
			for _, address := range tt.answer {
				if strings.Contains(messages.Text(a.Error)+probe+a.RemoteAddr, address.String()) {
					t.Errorf("what the name resolves to is shown: %q, %q, %q", a.RemoteAddr, messages.Text(a.Error), probe)
				}
			}
			if !strings.Contains(probe, "does not call rebind.example:"+port+": the name leads to ") {
				t.Errorf("got %q", probe)
			}
		})
	}
	if got := inside.Load(); got != 0 {
		t.Errorf("the receiver inside was called %d times", got)
	}
}

// The look-ups of one attempt may differ: whatever comes, the dial is guarded.
func TestNameThatAnswersDifferentlyEachTime(t *testing.T) {
	port, inside := twoFaces(t)
	var queries atomic.Int32
	nameServer(t, func(string) ([]netip.Addr, byte) {
		if queries.Add(1)%2 == 0 {
			return addrs("127.0.0.1"), 0
		}
		return addrs("127.0.0.2"), 0
	})
	r := newTarget(t, dispatch.Options{Guard: mustGuard(t, "127.0.0.2")})
	for range 10 {
		url := "http://rebind.example:" + port + "/"
		r.Probe(t.Context(), url)
		if a := r.try(url); a.Failure != "" && a.Failure != webhook.FailBlocked {
			t.Errorf("got %q, %q", a.Failure, a.Error)
		}
	}
	if got := inside.Load(); got != 0 {
		t.Errorf("the receiver inside was called %d times", got)
	}
}

func TestNamesThatCannotBeLookedUp(t *testing.T) {
	for _, tt := range []struct {
		name, words string
		code        byte
	}{
		{"no such name", "There is no server by the name of rebind.example", noSuchName},
		{"no address", "There is no server by the name of rebind.example", 0},
		{"failing", "The name rebind.example could not be looked up", serverFailure},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nameServer(t, func(string) ([]netip.Addr, byte) { return nil, tt.code })
			check(t, newTarget(t, dispatch.Options{}).try("http://rebind.example/"), webhook.FailDNS, tt.words)
		})
	}
	t.Run("silent", func(t *testing.T) {
		arrived := make(chan struct{}, 100)
		nameServer(t, func(string) ([]netip.Addr, byte) {
			arrived <- struct{}{}
			<-t.Context().Done()
			return nil, serverFailure
		})
		a := newTarget(t, dispatch.Options{Connect: patience / 3}).try("http://rebind.example/")
		receive(t, arrived)
		check(t, a, webhook.FailDNS, "the name servers gave no usable answer")
	})
}

// Every spelling of an address that is not of the public internet is refused,
// as a delivery and not only in the form.
func TestOddAddressesAreNotCalled(t *testing.T) {
	nameServer(t, func(string) ([]netip.Addr, byte) { return nil, noSuchName })
	r := newTarget(t, dispatch.Options{Guard: &guard.Guard{}})
	for _, host := range strings.Fields(`
		127.0.0.1 0.0.0.0 10.0.0.1 169.254.169.254 192.0.2.1 [::1] [::] [::ffff:127.0.0.1] [::ffff:a9fe:a9fe] [::127.0.0.1]
		[::ffff:0:127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::a9fe:a9fe] [2002:7f00:1::] [2002:a9fe:a9fe::] [2001:0:4136:e378::f5ff:fffe]
		[fd00:ec2::254] [fc00::1] [fe80::1] [fec0::1] [2001:db8::1] [3fff::1] [100::1] [ff02::1] [5f00::1]`) {
		t.Run(host, func(t *testing.T) {
			check(t, r.try("http://"+host+":1/"), webhook.FailBlocked, "Bookhook does not call", "ask the person who runs this Bookhook to allow it")
		})
	}
	// These are names to whoever looks them up, which some systems read as addresses.
	for _, host := range strings.Fields(`2130706433 0x7f000001 0x7f.1 0177.0.0.1 127.1 127.0.0.1. 10.1 0 １２７.０.０.１ 127。0。0。1 ⓵⓶⓻.0.0.1 [fe80::1%25lo]`) {
		t.Run(host, func(t *testing.T) {
			if a := r.try("http://" + host + ":1/"); a.Failure != webhook.FailBlocked && a.Failure != webhook.FailDNS {
				t.Errorf("got %q, %q, want it refused or not found", a.Failure, a.Error)
			}
		})
	}
}
