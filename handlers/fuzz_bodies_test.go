package handlers_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/webhook"
)

// FuzzIngest wants that whatever a booking system posts, with whatever key, is refused
// with words or accepted once: the same again is answered with the same events.
func FuzzIngest(f *testing.F) {
	s := fuzzed(f)
	token := s.token(s.account.ID)
	const event = `{"id":"1","type":"cancelled","channel_id":"3930","tour_ids":["12"],"booking_id":"1234","data":{"a":1}}`
	for _, c := range []struct {
		batch     bool
		key, body string
	}{
		{false, "", event},
		{false, "key-1", `{"type":"cancelled"}`},
		{false, "1", event},
		{true, "key-2", `{"events":[{"id":"2","type":"cancelled"},{"type":"cancelled"}]}`},
		{true, "", `{"events":[` + event + `,` + event + `]}`},
		{true, "k", `{"events":[]}`},
		{false, "\t", `{"id":"\ud83d","type":"cancelled"}`},
	} {
		f.Add(c.batch, c.key, c.body)
	}
	f.Fuzz(func(t *testing.T, batch bool, key, body string) {
		if !sendable("", key) {
			return
		}
		s, path := s.of(t), map[bool]string{true: "/api/v1/events/batch", false: "/api/v1/events"}[batch]
		send := func() answer {
			return s.send(http.MethodPost, path, body, as(token), header("Idempotency-Key", key), header("Content-Type", "application/json"))
		}
		first := send()
		if first.status >= 500 || !json.Valid([]byte(first.body)) {
			t.Fatalf("got %d %s", first.status, first.body)
		}
		if first.status/100 != 2 {
			return
		}
		again := send()
		if again.status/100 != 2 {
			t.Fatalf("got %d %s for what was accepted before: %s", again.status, again.body, first.body)
		}
		if identified := key != "" && !batch; identified && (again.status != http.StatusOK || again.body != first.body) {
			t.Errorf("got %d %s for the same key, want the same as before, %s", again.status, again.body, first.body)
		}
	})
}

// FuzzPrioWebhook wants that a webhook which a client of Prioticket's API creates is
// listed as it was answered, and that anything else is refused with words.
func FuzzPrioWebhook(f *testing.F) {
	s := fuzzed(f)
	s.connect("prioticket")
	client, err := s.store.AddClient(f.Context(), webhook.Client{Account: s.account.ID, Name: "test"}, auth.HashSecret("bhsSECRET"), change())
	s.check(err)
	s.check(s.store.AddClientToken(f.Context(), client.ID, auth.HashSecret("access"), scope, time.Now().Add(time.Hour), time.Now()))
	for _, fields := range []string{
		`"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com"`,
		`"webhook_events":["ORDER_CREATE","REDEMPTION"],"webhook_url":"https://example.com/hook?a=1","webhook_payload":"true","webhook_status":7`,
		`"webhook_events":["*"],"webhook_url":"https://example.com","webhook_auth":"Basic dTpw","webhook_email":" Ops@Example.com"`,
		`"webhook_events":"ORDER_CREATE","webhook_url":5`, `"webhook_events":[]`, ``,
	} {
		f.Add(`{"data":{"webhook":{` + fields + `}}}`)
		f.Add(`{"data":{"notification":{` + fields + `}}}`)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := s.of(t)
		for _, path := range []string{"/webhooks", "/notifications"} {
			got := s.send(http.MethodPost, prio+path, body, as("access"), header("Content-Type", "application/json"))
			if got.status >= 500 || !json.Valid([]byte(got.body)) {
				t.Fatalf("%s: got %d %s", path, got.status, got.body)
			}
			if path != "/webhooks" || got.status != http.StatusCreated {
				continue
			}
			id := prioWebhookID(t, got.body)
			if listed := s.send(http.MethodGet, prio+path, "", as("access")); !strings.Contains(listed.body, id) {
				t.Errorf("got %d %s, want what was created in it: %s", listed.status, listed.body, got.body)
			}
			if gone := s.send(http.MethodDelete, prio+path+"/"+id, "", as("access")); gone.status/100 != 2 {
				t.Errorf("got %d %s for the end of it", gone.status, gone.body)
			}
			if listed := s.send(http.MethodGet, prio+path, "", as("access")); strings.Contains(listed.body, id) {
				t.Errorf("got %s, want it gone", listed.body)
			}
		}
	})
}

func prioWebhookID(t testing.TB, body string) string {
	t.Helper()
	var shown struct {
		Data struct {
			Webhook struct {
				ID string `json:"webhook_id"`
			} `json:"webhook"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &shown); err != nil || shown.Data.Webhook.ID == "" {
		t.Fatalf("got %s, want a webhook", body)
	}
	return shown.Data.Webhook.ID
}

// FuzzForms wants that uploads and the settings of platforms are taken or refused with
// a page, and that the page never shows a stored secret.
func FuzzForms(f *testing.F) {
	s := fuzzed(f)
	s.connect("tourcms")
	const secret = "T0URCM5KEY"
	s.check(s.store.SaveSettings(f.Context(), s.account.ID, "tourcms", webhook.Settings{"api_key": secret}, change()))
	b := s.signIn(anna)
	paths := []string{"/channels/import", "/tours/import", platformsPage + "/tourcms/settings", "/settings/theme", "/reconcile"}
	const boundary = "multipart/form-data; boundary=x"
	part := func(head, text string) string {
		return "--x\r\nContent-Disposition: form-data; " + head + "\r\n\r\n" + text + "\r\n--x--\r\n"
	}
	for i := range paths {
		f.Add(uint8(i), "application/x-www-form-urlencoded", "text=1,One%0A2,Two&api_url=https://example.com&theme=dark")
		f.Add(uint8(i), boundary, part(`name="file"; filename="a.csv"`, "id,name\n1,One\n\xff"))
		f.Add(uint8(i), boundary, part(`name="text"`, "1;One"))
		f.Add(uint8(i), "multipart/form-data", "--x")
		f.Add(uint8(i), "application/x-www-form-urlencoded", "api_key=%00&api_url=http://[::1&channel_id=-1&text=%FF%FE1")
	}
	f.Fuzz(func(t *testing.T, at uint8, contentType, body string) {
		if !sendable("", contentType) {
			return
		}
		b := &browser{s.of(t), b.client}
		request := b.request(http.MethodPost, paths[int(at)%len(paths)], body)
		request.Header.Set("Content-Type", contentType)
		if got := b.do(request); got.status >= 500 || !isText(got.text) || strings.Contains(got.text, secret) {
			t.Errorf("got %d %s", got.status, got.words)
		}
	})
}

// FuzzCookie wants that nobody is signed in by a cookie that Bookhook did not give.
func FuzzCookie(f *testing.F) {
	s := fuzzed(f)
	b := s.signIn(anna)
	var good []string
	for _, c := range b.client.Jar.Cookies(b.request(http.MethodGet, "/", "").URL) {
		good = append(good, c.Value)
		for _, value := range []string{c.Value, c.Value[:len(c.Value)/2], c.Value + "A", strings.ToLower(c.Value), ""} {
			f.Add(c.Name + "=" + value)
			f.Add(c.Name + "=x; " + c.Name + "=" + value)
		}
	}
	f.Add(";;=,\"")
	f.Fuzz(func(t *testing.T, cookie string) {
		if !sendable("", cookie) {
			return
		}
		page := s.of(t).send(http.MethodGet, "/settings", "", header("Cookie", cookie)) // it goes on to the sign-in
		given := slices.ContainsFunc(good, func(value string) bool { return strings.Contains(cookie, value) })
		if signedIn := !strings.Contains(page.body, `action="/login"`); page.status != http.StatusOK || signedIn && !given {
			t.Errorf("got %d for %q, signed in: %t", page.status, cookie, signedIn)
		}
	})
}
