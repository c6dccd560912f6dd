package dispatch_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// twice is a receiver that answers 200 twice to what comes to /accept, and 422 to all
// else; the second answer is in the same packet, or soon after it.
func twice(apart bool) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			request, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, request.Body)
			const accepted, refused = ok200 + "Content-Length: 0\r\n\r\n", "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n"
			switch {
			case request.URL.Path != "/accept":
				_, _ = io.WriteString(c, refused)
			case apart:
				_, _ = io.WriteString(c, accepted)
				_, _ = io.WriteString(c, accepted)
			default:
				_, _ = io.WriteString(c, accepted+accepted)
			}
		}
	}
}

// What a receiver sends behind its answer is the answer to nothing: not to a request
// of another account, and not to one of the same, unless it was still on its way when
// that was written.
func TestSecondAnswerAnswersNothing(t *testing.T) {
	const n = 500
	for _, apart := range []bool{false, true} {
		t.Run(fmt.Sprintf("apart %t", apart), func(t *testing.T) {
			address := server(t, twice(apart))
			r := newTarget(t, dispatch.Options{Timeout: 10 * time.Second}).rig
			r.hook("http://"+address+"/accept", concurrency(16))
			ours := r.hook("http://"+address+"/refuse", concurrency(16))
			other := r.anotherAccount()
			theirs := r.hook("http://"+address+"/refuse", concurrency(16), func(w *webhook.Webhook) { w.Account = other })
			for range n / 50 {
				r.ingest(50)
				if _, err := r.Ingest(t.Context(), other, events(50)); err != nil {
					t.Fatal(err)
				}
			}
			for seen := 0; seen < 3*n; {
				got := r.next()
				if got.Again {
					continue
				}
				seen++
				refuses := got.Webhook == theirs.ID || got.Webhook == ours.ID && !apart
				if refuses && got.Attempt.Status != http.StatusUnprocessableEntity {
					t.Fatalf("got %d (%s), want 422; of another account %t", got.Attempt.Status, got.Attempt.Error, got.Webhook == theirs.ID)
				}
			}
		})
	}
}

// anotherAccount adds an account.
func (r *rig) anotherAccount() webhook.AccountID {
	r.Helper()
	other, err := r.store.AddAccount(r.Context(), webhook.Account{Number: 4070, Name: "Another", TimeZone: "UTC", WebhookLimit: 10}, byTest())
	if err != nil {
		r.Fatal(err)
	}
	return other.ID
}

// A kept connection on which anything arrives is closed at once, long before it would
// be for its age, and costs no attempt.
func TestTalkOnAnIdleConnectionClosesIt(t *testing.T) {
	for name, talk := range map[string]string{
		"a byte": "x", "an answer": ok200 + "Content-Length: 0\r\n\r\n", "timeout": "HTTP/1.1 408 Request Timeout\r\n\r\n", "pings": strings.Repeat("\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678", 10_000),
	} {
		for _, secured := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %t", name, secured), func(t *testing.T) {
				t.Parallel()
				closed := make(chan struct{}, 10)
				serve := func(c net.Conn) { // it has read the beginning of a request
					_, _ = io.WriteString(c, ok200+"Content-Length: 0\r\n\r\n")
					time.Sleep(20 * time.Millisecond) // so that the connection is idle
					_, _ = io.WriteString(c, talk)
					_, _ = io.Copy(io.Discard, c)
					closed <- struct{}{}
				}
				o, url := dispatch.Options{}, ""
				if secured {
					url, o.RootCAs = rawTLS(t, serve)
				} else {
					url = "http://" + raw(t, serve)
				}
				r := newTarget(t, o).rig
				r.hook(url)
				for range 2 {
					id := r.ingest(1)[0]
					if got := r.next(); got.Delivery != id || got.State != webhook.Delivered || got.Attempt.Number != 1 {
						t.Errorf("got %s, %s, want delivered", got.State, got.Attempt.Error)
					}
					receive(t, closed)
				}
			})
		}
	}
}

// A flood costs no more than one attempt may read, whatever it is made of: here TLS
// records of one byte each.
func TestFloodOfRecordsEnds(t *testing.T) {
	var sent atomic.Int64
	url, pool := rawTLS(t, func(c net.Conn) {
		_, _ = io.WriteString(c, ok200+"\r\n")
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
			sent.Add(1)
		}
	})
	r := newTarget(t, dispatch.Options{RootCAs: pool, Timeout: 20 * time.Second})
	a := r.try(url)
	check(t, a, "", "more data than an answer may have")
	if len(a.ResponseBody) == 0 || sent.Load() > 300_000 {
		t.Errorf("kept %d bytes, the receiver sent %d records", len(a.ResponseBody), sent.Load())
	}
}

// The connections of an account are its own.
func TestConnectionsAreNotSharedBetweenAccounts(t *testing.T) {
	t.Parallel()
	peers := make(chan string, 10)
	s := receiver(t, func(_ http.ResponseWriter, r *http.Request) { peers <- r.Header.Get("Connection") + r.RemoteAddr })
	r := start(t, dispatch.Options{})
	hook := r.hook(s.URL)
	other := r.anotherAccount()
	r.hook(s.URL, func(w *webhook.Webhook) { w.Account = other })
	seen := map[string]string{}
	for range 3 {
		for account, id := range map[string]webhook.AccountID{"ours": r.account.ID, "theirs": other} {
			if _, err := r.Ingest(t.Context(), id, events(1)); err != nil {
				t.Fatal(err)
			}
			r.next()
			peer := receive(t, peers)
			if owner, known := seen[peer]; known && owner != account {
				t.Errorf("a connection of one account was used for %s", account)
			}
			seen[peer] = account
		}
	}
	if len(seen) != 2 {
		t.Errorf("got %d connections, want one of each account", len(seen))
	}
	draft := *hook
	for range 2 { // a test of a draft, and a check of the URL, use a new one
		r.TestUnsaved(t.Context(), &draft, r.account, events(1)[0])
		r.Probe(t.Context(), s.URL)
		for range 2 {
			if peer := receive(t, peers); seen[peer] != "" || !strings.HasPrefix(peer, "close") {
				t.Errorf("got %s, want a new connection, which is closed", peer)
			} else {
				seen[peer] = "draft"
			}
		}
	}
}
