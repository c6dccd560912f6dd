package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// call is a request as a platform makes it.
type call struct {
	platforms.Platform
	kind                string
	method, query, body string
}

// calls has, for each platform, what it would send about each of its events.
func calls(t *testing.T, all platforms.Registry) [][]call {
	t.Helper()
	var list [][]call
	for _, p := range all.Connectable() {
		var own []call
		for i, kind := range p.Events {
			e := p.Sample(kind.Key, fmt.Sprint("B-", i), time.Now().UTC())
			r := p.Native(&webhook.Webhook{Config: webhook.Config{URL: "https://example.com/"}}, webhook.Account{Number: 4069, Name: "River"}, e)
			u, err := url.Parse(r.URL)
			if err != nil {
				t.Fatal(err)
			}
			own = append(own, call{p, kind.Key, r.Method, u.RawQuery, string(r.Body)})
		}
		list = append(list, own)
	}
	return list
}

// TestOwnCalls: what a platform's folder writes, its address reads as the same
// event, once, and what leaves is what came.
func TestOwnCalls(t *testing.T) {
	t.Parallel()
	s := furnish(t)
	s.platforms = withHarbour()
	s.run([]time.Duration{0})
	r := newReceiver(t, http.StatusOK)
	s.hook(r.URL)
	for _, own := range calls(t, s.platforms) {
		path := s.connect(own[0].Key).Path()
		for _, c := range own {
			id := s.send(c.method, path+"?"+c.query, c.body).taken()
			if again := s.send(c.method, path+"?"+c.query, c.body).taken(); again != id {
				t.Errorf("%s: the same again is another event", c.kind)
			}
			e, err := s.store.Event(t.Context(), s.account.ID, id)
			s.check(err)
			if e.Platform != c.Key || e.Type != c.kind || !e.Inbound {
				t.Errorf("%s: got %+v", c.kind, e)
			}
			s.settled()
			if got := arrived(t, r.got); got.Method != c.method || got.URL.RawQuery != c.query || got.body != c.body {
				t.Errorf("%s: got %s %s %s\nwant %s %s %s", c.kind, got.Method, got.URL.RawQuery, got.body, c.method, c.query, c.body)
			}
		}
	}
}

// TestBadCalls makes the calls of every platform wrong in every way.
func TestBadCalls(t *testing.T) {
	t.Parallel()
	s := furnish(t)
	s.platforms = withHarbour()
	s.run([]time.Duration{0})
	for _, own := range calls(t, s.platforms) {
		c := own[0]
		t.Run(c.Key, func(t *testing.T) {
			address := s.connect(c.Key)
			for _, bad := range c.bad() {
				before := len(s.rejected())
				s.send(bad.method, address.Path()[:len(address.Path())-1]+"_?"+bad.query, bad.body, bad.change...).refused(http.StatusNotFound)
				s.send(bad.method, address.Path()+"?"+bad.query, bad.body, bad.change...).refused(bad.status)
				kept := s.rejected()
				if len(kept) != before+1 || kept[0].Platform != c.Key || kept[0].Status != bad.status || kept[0].Why.IsZero() {
					t.Errorf("%s: got %d kept, the last %+v; want one more than %d", bad.name, len(kept), kept[0], before)
				}
			}
		})
	}
	if n := len(s.events()); n > 0 {
		t.Errorf("got %d events", n)
	}
}

// badCall is a call that is wrong in one way, and how it is answered.
type badCall struct {
	name                string
	method, query, body string
	status              int
	change              []func(*http.Request)
}

func (c call) bad() []badCall {
	post := func(name, body string, status int, change ...func(*http.Request)) badCall {
		return badCall{name, http.MethodPost, c.query, body, status, change}
	}
	body := c.body
	if body == "" {
		body = "<response></response>"
	}
	xml := func(r *http.Request) {
		if c.body == "" {
			r.Header.Set("Content-Type", "text/xml")
		}
	}
	list := []badCall{
		post("wrong content type", body, 415, header("Content-Type", "image/png")),
		post("empty body", "", 400, xml),
		post("too deep", c.deep(), 400, xml),
		post("too large", strings.Repeat("x", 5_000_000), 413, xml),
		post("not UTF-8", strings.Replace(body, "e", "\xff", 1), 400, xml),
		post("half a body", body[:len(body)/2], 400, xml),
		{"unknown event", c.method, strings.ReplaceAll(c.query, c.kind, "no_such_event"), strings.ReplaceAll(c.body, c.kind, "no_such_event"), 422, nil},
	}
	if slices.Contains(c.Methods, http.MethodGet) {
		list = append(list,
			badCall{"no query", http.MethodGet, "", "", 400, nil},
			badCall{"a key twice", http.MethodGet, c.query + "&" + c.query, "", 400, nil},
			badCall{"a query that is not UTF-8", http.MethodGet, strings.Replace(c.query, "B-0", "%ff", 1), "", 400, nil},
		)
	}
	return list
}

// deep is a body of more levels than anybody needs.
func (c call) deep() string {
	if c.body == "" {
		return strings.Repeat("<a>", 101) + strings.Repeat("</a>", 101)
	}
	return strings.Repeat(`{"a":`, 101) + "1" + strings.Repeat("}", 101)
}
