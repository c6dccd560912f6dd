package e2e

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// forwarded is another port of this machine that leads to the server, which Bookhook cannot know.
func forwarded(t testing.TB, s *server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var open sync.WaitGroup
	t.Cleanup(func() {
		must(t, listener.Close())
		open.Wait()
	})
	open.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
			if err != nil {
				_ = from.Close()
				continue
			}
			open.Go(func() { pass(from, to) })
		}
	})
	return "http://" + listener.Addr().String()
}

// pass copies in both directions until one side closes.
func pass(one, other net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{one, other}, {other, one}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_, _ = one.Close(), other.Close()
		})
	}
	both.Wait()
}

// inbound switches TourCMS on for the account, and returns the path of its address.
func (o *shop) inbound() string {
	o.t.Helper()
	return strings.TrimSpace(o.run("", "platform", "on", "--account", o.Number, "tourcms"))
}

// count is how many events the account has.
func (o *shop) count() int {
	o.t.Helper()
	var list struct{ Items []any }
	o.ask("GET", "/events?limit=200", nil).want(o.t, http.StatusOK, &list)
	return len(list.Items)
}

// looped waits until every delivery has failed as a loop, after one attempt.
func (o *shop) looped(deliveries ...string) {
	o.t.Helper()
	for _, id := range deliveries {
		d := o.await(id, "failed")
		if d.AttemptsMade != 1 || d.Attempts[0].Reason != "loop" || d.Attempts[0].Status != 508 || !strings.Contains(d.Attempts[0].Error, "travel in a circle") {
			o.t.Errorf("got %+v, want one attempt that was a loop", d)
		}
	}
}

// One event became 27,889 in 11 seconds, with three webhooks that called the address of their own account.
func TestLoopEnds(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	path, hidden := op.inbound(), forwarded(t, op.server)
	for _, name := range []string{"One", "Two", "Three"} {
		op.webhook(name, hidden+path, map[string]any{"format": "native"})
	}
	if got := tells(t, op.URL+path+cancelled+"1234", "", ""); got != http.StatusOK {
		t.Fatalf("got %d, want 200", got)
	}
	var list struct{ Items []struct{ ID string } }
	op.ask("GET", "/deliveries", nil).want(t, http.StatusOK, &list)
	if len(list.Items) != 3 {
		t.Fatalf("got %d deliveries, want 3", len(list.Items))
	}
	for _, d := range list.Items {
		op.looped(d.ID)
	}
	if got := op.count(); got != 1 {
		t.Errorf("got %d events, want the one", got)
	}
	p := op.as(t, operator, pageOptions{})
	p.visit(op.page(list.Items[0].ID))
	p.sees("it would travel in a circle")
	p.looks()
}

// Two Bookhooks that send everything to each other: the event arrives once at each.
func TestLoopOfTwo(t *testing.T) {
	t.Parallel()
	one, other := newShop(t), newFreshShop(t, t.TempDir(), "--allow-private-targets", "127.0.0.0/8")
	there := one.webhook("Other", other.URL+other.inbound(), map[string]any{"format": "native"})
	back := other.webhook("One", one.URL+one.inbound(), map[string]any{"format": "native"})
	one.await(one.booking("1234").to(there), "delivered")
	var list struct {
		Items []struct {
			ID      string
			Webhook string `json:"webhook_id"`
		}
	}
	other.ask("GET", "/deliveries", nil).want(t, http.StatusOK, &list)
	if len(list.Items) != 1 || list.Items[0].Webhook != back.ID {
		t.Fatalf("got %+v, want one delivery back", list.Items)
	}
	other.looped(list.Items[0].ID)
	if one.count() != 1 || other.count() != 1 {
		t.Errorf("got %d events and %d, want one each", one.count(), other.count())
	}
}

// No webhook can be saved that calls Bookhook itself, however its address is written.
func TestOwnAddressIsRefused(t *testing.T) {
	t.Parallel()
	op := newShop(t, "--allow-private-targets", "all", "--base-url", "https://hooks.example.com")
	in := receiver(t)
	elsewhere := op.webhook("Elsewhere", in.URL, nil)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(op.URL, "http://"))
	must(t, err)
	const why = "This is an address of Bookhook itself"
	for _, url := range []string{
		op.URL + op.inbound(), "http://localhost:" + port + "/", "http://0.0.0.0:" + port, "http://[::ffff:7f00:1]:" + port, "http://0177.1:" + port, "https://HOOKS.example.com/in/",
	} {
		body := map[string]any{"name": "Itself", "url": url, "type": "async", "format": "standard", "events": []string{"*"}}
		if p := op.ask("POST", "/webhooks", body).refused(t, http.StatusUnprocessableEntity); !strings.Contains(p.Errors["url"], why) {
			t.Errorf("%s: got %+v, want that it is Bookhook's own", url, p)
		}
		if p := op.ask("PATCH", "/webhooks/"+elsewhere.ID, map[string]any{"url": url}).refused(t, http.StatusUnprocessableEntity); !strings.Contains(p.Errors["url"], why) {
			t.Errorf("%s: got %+v, want that it is Bookhook's own", url, p)
		}
	}
	op.await(op.booking("1234").to(elsewhere), "delivered") // another port of this machine
}
