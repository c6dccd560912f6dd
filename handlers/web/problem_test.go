package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bookhook/auth"
	"bookhook/webhook"
)

func TestOverloadedHasher(t *testing.T) {
	t.Parallel()
	if p := AsProblem(fmt.Errorf("hash: %w", auth.ErrOverloaded)); p.Status != http.StatusServiceUnavailable || p.Type != "busy" || p.Next == "" {
		t.Errorf("got %+v, want busy", p)
	}
}

// An unavailable database is not an internal error: the problem says what is wrong, what it means, and what to do.
func TestUnavailableDatabase(t *testing.T) {
	t.Parallel()
	cause := errors.New("database or disk is full (13)")
	p := AsProblem(fmt.Errorf("save: %w", webhook.Unavailable{Message: webhook.NewMessage("database.full"), Cause: cause}))
	if p.Status != http.StatusServiceUnavailable || p.Type != "unavailable" || !errors.Is(p, cause) {
		t.Errorf("got %d %s of %v, want 503 unavailable", p.Status, p.Type, p.Cause)
	}
	for _, text := range []string{p.Detail, p.Meaning} {
		if !strings.HasPrefix(text, "The disk that holds Bookhook's database is full. ") || strings.Contains(text, cause.Error()) {
			t.Errorf("got %q, want what is wrong in words", text)
		}
	}
	unknown := AsProblem(webhook.Unavailable{Message: webhook.NewMessage("database.full"), Unknown: true, Cause: cause})
	for _, text := range []string{unknown.Detail, unknown.Meaning} {
		if !strings.Contains(text, "not known whether") || strings.Contains(text, "Nothing of this request") || strings.Contains(text, "was not saved") {
			t.Errorf("what may have been stored: got %q", text)
		}
	}
}
