package webhook_test

import (
	"net/http"
	"strings"
	"testing"

	"bookhook/webhook"
)

func TestReceiverMessage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ kind, body, want string }{
		{"text/plain; charset=utf-8", " Booking 1234 is locked.\r\n", "Booking 1234 is locked."},
		{"", "Unknown tour", "Unknown tour"},
		{"application/json", `{"message":"No such tour","code":7}`, "No such tour"},
		{"application/json", `{"status":"error","error":{"code":"x","message":"Card expired"}}`, "Card expired"},
		{"application/problem+json", `{"type":"about:blank","title":"Bad","detail":"Field a is missing"}`, "Field a is missing"},
		{"application/json", `{"errors":[{"detail":"First"},{"detail":"Second"}]}`, "First"},
		{"text/html", `["Not now"]`, "Not now"},
		{"application/json", `{"message":" ","error":"Second choice"}`, "Second choice"},
		{"application/json", `{"message":null}`, ""},
		{"application/json", `{"message":{"message":{"message":{"message":{"message":"deep"}}}}}`, ""},
		{"application/json", `{"a`, ""},
		{"text/html", "<h1>Bad gateway</h1>", ""},
		{"text/plain", "<h1>Bad gateway</h1>", ""},
		{"application/octet-stream", "Hello", ""},
		{"text/plain", "One line\nand another", ""},
		{"text/plain", "\xff\xfe", ""},
		{"text/plain", "503", ""},
		{"text/plain", "\u202etxet", ""},
		{"text/plain", strings.Repeat("a", 201), ""},
		{"text/plain", strings.Repeat("ä", 200), strings.Repeat("ä", 200)},
		{"text/plain", "", ""},
	} {
		a := webhook.Attempt{ResponseHeaders: http.Header{"Content-Type": {tt.kind}}, ResponseBody: []byte(tt.body)}
		if tt.kind == "" {
			a.ResponseHeaders = nil
		}
		if got := webhook.ReceiverMessage(a); got != tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.kind, tt.body, got, tt.want)
		}
	}
	if got := webhook.ReceiverMessage(webhook.Attempt{ResponseBody: []byte("Half of a"), Truncated: true}); got != "" {
		t.Errorf("cut off: got %q, want none", got)
	}
}
