package dispatch

import (
	"net/http"
	"testing"

	"bookhook/dispatch/guard"
	"bookhook/webhook"
)

// TestHidingDoesNotChangeTheRequest: a receiver may answer before the request is
// written; what the log hides must then still be sent.
func TestHidingDoesNotChangeTheRequest(t *testing.T) {
	t.Parallel()
	sent := http.Header{"Authorization": {"Basic dTpw"}}
	a := attemptResult{Attempt: webhook.Attempt{RequestHeaders: sent}}
	a.observe(&guard.Wire{})
	if got := a.RequestHeaders.Get("Authorization"); got != webhook.HiddenBasic {
		t.Errorf("got %q in the log, want it hidden", got)
	}
	if got := sent.Get("Authorization"); got != "Basic dTpw" {
		t.Errorf("got %q in the request, want it unchanged", got)
	}
}
