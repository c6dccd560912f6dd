package e2e

import (
	"fmt"
	"net/http"
	"testing"
)

// Nine webhooks are there; the wizard makes the tenth, and nobody makes an eleventh.
func TestWebhookLimit(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	for i := range 9 {
		a.addHook(t, fmt.Sprintf("Webhook %d", i+1), "https://example.com/hook")
	}
	p := a.as(t, operator, pageOptions{})
	late := a.as(t, operator, pageOptions{}) // has a draft in hand while the tenth is made
	late.beginWebhook(a.URL, "Late", "https://example.com/late")
	late.leaveAllOpen()
	late.sees("is webhook 10 of 10")

	p.visit(a.URL + "/webhooks")
	p.sees("9 of 10")
	p.beginWebhook(a.URL, "Tenth", "https://example.com/tenth")
	p.leaveAllOpen()
	p.press("Create webhook")
	p.sees("“Tenth” is on")

	if got := late.submit("Create webhook"); got != http.StatusConflict {
		t.Errorf("the eleventh: got %d, want 409", got)
	}
	const explained = "All 10 webhooks of your account are used."
	late.sees(explained)
	late.isAt("/review$")

	late.visit(a.URL + "/webhooks")
	late.sees("10 of 10")
	late.sees("To create another one, delete one that you no longer need, or ask")
	late.lacks("Create new booking webhook")
	if got := late.visit(a.URL + "/webhooks/new"); got != http.StatusConflict {
		t.Errorf("/webhooks/new: got %d, want 409", got)
	}
	late.sees("10 of 10")

	a.run("", "account", "limit", a.Number, "11")
	late.visit(a.URL + "/webhooks")
	late.sees("10 of 11")
	late.follow("Continue Late") // the draft waited
	late.isAt("/review$")
	late.press("Create webhook")
	late.sees("“Late” is on")
	if got := len(a.hooks(t)); got != 11 {
		t.Errorf("webhooks: got %d, want 11", got)
	}
}
