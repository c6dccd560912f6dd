package web

import (
	"fmt"
	"testing"

	"github.com/gorilla/sessions"

	"bookhook/webhook"
)

// TestFlashIsBounded: a session does not grow with forms of which nobody views the next page.
func TestFlashIsBounded(t *testing.T) {
	t.Parallel()
	s := &Session{session: sessions.NewSession(nil, sessionCookie)}
	for i := range 100 {
		s.AddFlash(webhook.NewMessage("saved", fmt.Sprint(i)))
	}
	flash := s.TakeFlash()
	if len(flash) != maxFlash || flash[maxFlash-1].Args[0] != "99" {
		t.Errorf("got %v, want the newest %d", flash, maxFlash)
	}
	if len(s.TakeFlash()) != 0 {
		t.Error("they are shown twice")
	}
}
