package platforms_test

import (
	"strings"
	"testing"

	"bookhook/platforms/all"
	"bookhook/webhook"
)

func TestRegistry(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range all.Platforms() {
		if p.Key == "" || p.Name == "" || (p.Read == nil || len(p.Methods) == 0) != p.Own || p.Native == nil || p.Booking == nil || p.Sample == nil || len(p.Events) == 0 || seen[p.Key] {
			t.Errorf("platform %q: something is missing or there twice", p.Key)
		}
		seen[p.Key] = true
		if got, ok := all.Platforms().Get(p.Key); !ok || got.Name != p.Name {
			t.Errorf("Get(%q): got %q, %t", p.Key, got.Name, ok)
		}
		for _, e := range p.Events {
			if e.Key == "" || e.Name == "" || e.Group == "" || strings.ContainsAny(e.Key, ": \t") {
				t.Errorf("%s: event %+v: something is missing", p.Key, e)
			}
			if got, ok := p.Event(e.Key); !ok || got != e {
				t.Errorf("%s: Event(%q): got %+v, %t", p.Key, e.Key, got, ok)
			}
			if !all.Platforms().KnownKey(webhook.EventKey(p.Key, e.Key)) {
				t.Errorf("%s: %s is not known", p.Key, e.Key)
			}
		}
	}
	if !seen[webhook.DefaultPlatform] {
		t.Errorf("the default platform %q is not there", webhook.DefaultPlatform)
	}
}

func TestUnknown(t *testing.T) {
	if _, ok := all.Platforms().Get("nowhere"); ok {
		t.Error("got a platform that does not exist")
	}
	tourcms, _ := all.Platforms().Get("tourcms")
	if _, ok := tourcms.Event("nothing"); ok {
		t.Error("got an event that does not exist")
	}
	for _, key := range []string{"", "*", "nothing", "tourcms:cancelled", "nowhere:cancelled", "Cancelled"} {
		if all.Platforms().KnownKey(key) {
			t.Errorf("%q is known", key)
		}
	}
}

func TestPrimary(t *testing.T) {
	got := strings.Join(all.Platforms().Primary(), " ")
	if want := "new_confirmed_staff new_confirmed_web cancelled"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWrite(t *testing.T) {
	account := webhook.Account{Number: 4069, Name: "testoperator"}
	for _, tt := range []struct {
		platform string
		format   webhook.Format
		method   string
		only200  bool
	}{
		{"tourcms", webhook.Native, "GET", true},
		{"tourcms", webhook.Standard, "POST", false},
		{"nowhere", webhook.Native, "POST", false}, // a platform that is gone: the standard format tells all
		{"nowhere", webhook.Standard, "POST", false},
	} {
		e := webhook.Event{Platform: tt.platform, Type: "cancelled", BookingID: "1234"}
		got := all.Platforms().Write(&webhook.Webhook{Config: webhook.Config{URL: "https://example.com/in", Format: tt.format}}, account, e)
		if got.Method != tt.method || got.Only200 != tt.only200 || !strings.HasPrefix(got.URL, "https://example.com/in") {
			t.Errorf("%s, %s: got %s %s, only 200: %t", tt.platform, tt.format, got.Method, got.URL, got.Only200)
		}
		if tt.method == "POST" && (string(got.Signed) != string(got.Body) || got.Header.Get("Content-Type") != "application/json") {
			t.Errorf("%s, %s: got %+v, want signed JSON", tt.platform, tt.format, got)
		}
	}
}
