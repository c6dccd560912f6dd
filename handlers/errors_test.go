package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bookhook/webhook"
)

// What the database cannot do now is no mistake of Bookhook's: it says what is wrong, what that means, and what to do.
func TestUnavailableDatabase(t *testing.T) {
	cause := errors.New("database or disk is full (13)")
	p := asProblem(fmt.Errorf("save: %w", webhook.Unavailable{What: "The disk is full.", Cause: cause}))
	if p.Status != http.StatusServiceUnavailable || p.Type != "unavailable" || !errors.Is(p, cause) {
		t.Errorf("got %d %s of %v, want 503 unavailable", p.Status, p.Type, p.cause)
	}
	for _, text := range []string{p.Detail, p.meaning} {
		if !strings.HasPrefix(text, "The disk is full. ") || strings.Contains(text, cause.Error()) {
			t.Errorf("got %q, want what is wrong in words", text)
		}
	}
}
