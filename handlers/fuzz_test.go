package handlers_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bookhook/auth"
	"bookhook/webhook"
)

// fuzzed is a site that runs, speaks all languages and writes no log.
func fuzzed(f *testing.F) *site {
	f.Helper()
	s := furnish(f)
	s.log, s.platforms = io.Discard, withHarbour()
	s.run([]time.Duration{0})
	s.putItems(webhook.Channels, webhook.Item{ID: "3930", Name: "Website"})
	s.putItems(webhook.Tours, webhook.Item{ID: "12", Name: "Kayak"})
	return s
}

// of is the same site in the test of one input.
func (s *site) of(t *testing.T) *site {
	other := *s
	other.TB = t
	return &other
}

// sendable reports whether a client can send these in a URL and in the header.
func sendable(inURL string, inHeader ...string) bool {
	all := inURL + strings.Join(inHeader, "")
	return len(all) < 4000 && !strings.ContainsAny(inURL, " #") && !strings.ContainsFunc(all, func(r rune) bool { return r < ' ' || r > '~' })
}

// isText reports whether a page is text.
func isText(page string) bool { return utf8.ValidString(page) && !strings.Contains(page, "\x00") }

// FuzzInbound wants that whatever comes to the address of a platform is taken once,
// however often it is sent, or refused with words and kept.
func FuzzInbound(f *testing.F) {
	s := fuzzed(f)
	known := s.platforms.Connectable()
	paths := make([]string, len(known))
	for i, p := range known {
		paths[i] = s.connect(p.Key).Path()
		files, _ := filepath.Glob("../platforms/" + p.Key + "/testdata/read/*.json")
		for _, name := range files {
			body, err := os.ReadFile(name)
			s.check(err)
			f.Add(uint8(i), true, "", "application/json", "", "", body)
		}
		f.Add(uint8(i), true, "a=b", "text/xml", "Basic dTpw", instance.Extend("", s.account.ID), []byte(bookedBerth))
		f.Add(uint8(i), false, "event=cancelled&account_id=4069&channel_id=3930&booking_id=1234", "", "", instance.Extend("", s.other.ID), []byte(nil))
		f.Add(uint8(i), true, "event=cancelled&account_id=4069&channel_id=3930&booking_id=1234", "text/xml", "", "", []byte("<?xml version='1.0'?><booking><booking_id>1234</booking_id></booking>"))
	}
	f.Fuzz(func(t *testing.T, platform uint8, post bool, query, contentType, authorization, via string, body []byte) {
		if !sendable(query, contentType, authorization, via) {
			return
		}
		s := s.of(t)
		method := map[bool]string{true: "POST", false: "GET"}[post]
		send := func() answer {
			return s.send(method, paths[int(platform)%len(paths)]+"?"+query, string(body), header("Content-Type", contentType), header("Authorization", authorization), header("Bookhook-Via", via))
		}
		got := send()
		switch got.status {
		case http.StatusOK:
			if id := got.taken(); send().taken() != id {
				t.Error("sent again, it is another event")
			}
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusConflict, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
			got.refused(got.status)
			kept, err := s.store.RejectedRequests(t.Context(), s.account.ID, 0, 1000)
			if err != nil || !slices.ContainsFunc(kept, func(r webhook.RejectedRequest) bool {
				return r.Status == got.status && r.Method == method && r.Query == query && bytes.HasPrefix(bytes.TrimPrefix(body, webhook.ByteOrderMark), r.Body)
			}) {
				t.Errorf("%d %s is not kept: %v", got.status, got.body, err)
			}
		case http.StatusMethodNotAllowed, http.StatusLoopDetected:
			got.refused(got.status)
		default:
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}

// FuzzWizard wants that whatever form comes to a step, the draft is saved as it was
// typed, once or twice, and every step can be shown afterwards.
func FuzzWizard(f *testing.F) {
	s := fuzzed(f)
	b := s.signIn(anna)
	steps := webhook.Steps[:len(webhook.Steps)-1]
	for i, text := range []string{
		"kind=async", "kind=inline&time_limit=x", "name=+a+&url=https%3A%2F%2Fexample.com%2F%3F%C3%A9&format=native&basic=u%3Ap", "name=%00%FF&url=http://u:p@[::1]:99999/%zz#&basic_off=1",
		"all_events=0&all_events=1&events=&events=cancelled&events=harbour:berth.booked", "concurrency=8&concurrency=9e9&ordered=0&ordered=1&rate_requests=-1&rate_per=year&payload=0",
		"channels_mode=include&channels=&channels=3930&channels_paste=1%2C2%0A3%C2%A04&channels_shown=3930+1", "tours_mode=exclude&tours=12&tours=12&tours_paste=%ED%A0%80", "&&=&%", "version=1&_method=x",
	} {
		f.Add(uint8(i), text)
	}
	draft := b.begin()
	id, err := webhook.ParseID[webhook.DraftID](strings.TrimPrefix(draft, "/drafts/"))
	s.check(err)
	f.Fuzz(func(t *testing.T, at uint8, form string) {
		b := &browser{s.of(t), b.client}
		step := steps[int(at)%len(steps)]
		var saved [2]webhook.Draft
		for i := range saved {
			got := b.do(b.request(http.MethodPost, draft+"/"+string(step), form))
			if !slices.Contains([]int{http.StatusSeeOther, http.StatusUnprocessableEntity, http.StatusConflict, http.StatusRequestEntityTooLarge}, got.status) {
				t.Errorf("%s: got %d: %s", step, got.status, got.words)
			}
			var err error
			saved[i], err = b.store.Draft(t.Context(), b.account.ID, id)
			b.check(err)
		}
		if !reflect.DeepEqual(saved[0].Config, saved[1].Config) {
			t.Errorf("%s: the form makes %+v, and sent again %+v", step, saved[0].Config, saved[1].Config)
		}
		for _, step := range steps {
			shown := b.get(draft + "/" + string(step))
			if shown.status != http.StatusOK && shown.status != http.StatusSeeOther || !isText(shown.text) {
				t.Errorf("%s is then %d: %.2000s", step, shown.status, shown.words)
			}
		}
	})
}

// FuzzLists wants that a query of a list is answered or refused with words, by pages
// and by the API; and that the pages of a list have each of its rows once.
func FuzzLists(f *testing.F) {
	s := fuzzed(f)
	b := s.signIn(anna)
	hook := s.hook(nowhere)
	s.leave(slices.Repeat([]webhook.Event{{BookingID: "1", ChannelID: "3930"}}, 5)...)
	token := s.token(s.account.ID)
	paths := []string{"/deliveries", "/events", "/channels", "/tours", "/settings/rejected", "/settings/activity", "/search", "/bookings/1", "/api/v1/deliveries", "/api/v1/events", "/api/v1/webhooks", "/api/v1/channels"}
	for i := range paths {
		for _, query := range []string{
			"limit=1", "limit=2&type=cancelled&booking_id=1&since=2020-01-01T00:00:00Z", "state=pending&webhook_id=" + hook.ID.String(), "cursor=evt_0000000000002&limit=201", "cursor=dlv_%00", "since=2020-01-01&until=2019-12-31",
			"before=dlv_0000000000002", "q=%FF&page=-1", "limit=1&limit=1", "until=9999-12-31&type=*", "booking_id=%F0%9F%8E%9F",
		} {
			f.Add(uint8(i), query)
		}
	}
	f.Fuzz(func(t *testing.T, at uint8, query string) {
		path := paths[int(at)%len(paths)]
		if !sendable(query) {
			return
		}
		b := &browser{s.of(t), b.client}
		if !strings.HasPrefix(path, "/api/") {
			if got := b.get(path + "?" + query); got.status != http.StatusOK && got.status != http.StatusSeeOther && got.status != http.StatusNotFound && got.status != http.StatusUnprocessableEntity || !isText(got.text) {
				t.Errorf("got %d: %s", got.status, got.words)
			}
			return
		}
		seen := map[string]bool{}
		for page := 0; ; page++ {
			got := b.send(http.MethodGet, path+"?"+query, "", header("Authorization", "Bearer "+token))
			if got.status != http.StatusOK {
				got.refused(http.StatusUnprocessableEntity)
				return
			}
			var list struct {
				Items []struct{ ID string }
				Next  string `json:"next_cursor"`
			}
			b.check(json.Unmarshal([]byte(got.body), &list))
			for _, item := range list.Items {
				if seen[item.ID] {
					t.Errorf("%s is listed twice", item.ID)
				}
				seen[item.ID] = true
			}
			values, err := url.ParseQuery(query)
			if list.Next == "" || err != nil {
				return
			}
			if page > 10 {
				t.Fatalf("there is no last page: %s", got.body)
			}
			values.Set("cursor", list.Next)
			query = values.Encode()
		}
	})
}

// FuzzGrant wants that nobody gets an access token who does not send the secret.
func FuzzGrant(f *testing.F) {
	const secret = "bhsSECRET"
	s := fuzzed(f)
	client, err := s.store.AddClient(f.Context(), webhook.Client{Account: s.account.ID, Name: "test"}, auth.HashSecret(secret), change())
	s.check(err)
	id := client.ID.String()
	for _, c := range [][3]string{
		{"Basic " + encode(id+":"+secret), "application/json", `{"grant_type":"client_credentials","scope":["` + scope + `"]}`},
		{"Basic " + encode(id+":%62hsSECRET"), "application/x-www-form-urlencoded", "grant_type=client_credentials&scope="},
		{"", "application/x-www-form-urlencoded; charset=x", "grant_type=client_credentials&client_id=" + id + "&client_secret=" + secret},
		{"", "application/json", `{"grant_type":"client_credentials","client_id":"` + id + `","client_secret":"` + secret + `","scope":null}`},
		{"Basic " + encode(id+":"), "application/json", `{"grant_type":5,"client_secret":["` + secret + `"]}`},
		{"Basic Og==", "", "&&"},
	} {
		f.Add(c[0], c[1], c[2])
	}
	f.Fuzz(func(t *testing.T, authorization, contentType, body string) {
		if !sendable("", authorization, contentType) {
			return
		}
		got := s.of(t).send(http.MethodPost, prio+grantPath, body, header("Authorization", authorization), header("Content-Type", contentType))
		if got.status != http.StatusOK {
			if got.status >= 500 || !json.Valid([]byte(got.body)) {
				t.Errorf("got %d %s", got.status, got.body)
			}
			return
		}
		r := http.Request{Header: http.Header{"Authorization": {authorization}}}
		_, password, _ := r.BasicAuth()
		plain, _ := url.QueryUnescape(password)
		values, _ := url.ParseQuery(body)
		var object map[string]any
		_ = json.Unmarshal([]byte(body), &object) // if it is one
		if sent := []any{password, plain, values.Get("client_secret"), object["client_secret"]}; !slices.Contains(sent, any(secret)) {
			t.Errorf("got a token for %q", sent)
		}
	})
}
