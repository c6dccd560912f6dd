package platforms_test

import (
	"net/http"
	"testing"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

func TestSucceeded(t *testing.T) {
	tests := []struct {
		status        int
		want, want200 bool
	}{
		{0, false, false},
		{199, false, false},
		{200, true, true},
		{201, true, false},
		{204, true, false},
		{299, true, false},
		{301, false, false},
		{410, false, false},
		{500, false, false},
	}
	for _, tt := range tests {
		if got := (platforms.Request{}).Succeeded(tt.status); got != tt.want {
			t.Errorf("%d: got %v, want %v", tt.status, got, tt.want)
		}
		if got := (platforms.Request{Only200: true}).Succeeded(tt.status); got != tt.want200 {
			t.Errorf("%d, only 200: got %v, want %v", tt.status, got, tt.want200)
		}
	}
}

func TestStandardRequest(t *testing.T) {
	const url = "https://example.com/hook?a=1"
	e := webhook.Event{ID: 1, Platform: "tourcms", Type: "cancelled", ReceivedAt: time.Unix(1, 0)}
	got := platforms.StandardRequest(webhook.Account{Number: 4069}, e, nil, url)
	if got.Method != http.MethodPost || got.URL != url || got.Only200 {
		t.Errorf("got %s %s, only 200 %v, want POST %s, any 2xx", got.Method, got.URL, got.Only200, url)
	}
	if got := got.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("got content type %q, want application/json", got)
	}
	want := string(platforms.StandardBody(e, 4069, nil))
	if string(got.Body) != want || string(got.Signed) != want {
		t.Errorf("got body %s, signed %s, want %s", got.Body, got.Signed, want)
	}
}
