package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// At the limit the list, the wizard and both APIs name whom to ask; on the pages an address is a link.
func TestSupportAtTheLimit(t *testing.T) {
	t.Parallel()
	o := newShop(t, "--support", "support@example.com")
	client := clientLines.FindStringSubmatch(o.run("", "client", "add", "--account", o.Number, "Reseller portal"))
	p := o.as(t, operator, pageOptions{})
	p.beginWebhook(o.URL, "Late", "https://example.com/late")
	p.leaveAllOpen()
	o.run("", "account", "limit", o.Number, "0")

	const ask = "ask support@example.com to raise the limit"
	p.reload()
	p.sees(ask)
	must(t, expect.Locator(p.Locator("main a[href='mailto:support@example.com']")).ToHaveCount(1))
	p.looks()
	p.visit(o.URL + "/webhooks")
	p.sees(ask)
	must(t, expect.Locator(p.Locator("main a[href='mailto:support@example.com']")).ToHaveCount(1))
	p.looks()
	hook := map[string]any{"name": "Late", "url": "https://example.com", "type": "async", "events": []string{"*"}}
	if got := o.ask("POST", "/webhooks", hook).refused(t, http.StatusConflict).Detail; !strings.HasSuffix(got, "Delete one, or "+ask+".") {
		t.Errorf("API: got %q", got)
	}
	r := o.resell(client[1], client[2]).call("POST", "/webhooks", `{"data":{"webhook":{"webhook_events":["ORDER_CREATE"],"webhook_url":"https://example.com"}}}`)
	if r.Status != http.StatusConflict || !bytes.Contains(r.Body, []byte(ask)) {
		t.Errorf("Prioticket's API: got %d %s", r.Status, r.Body)
	}

	page := newShop(t, "--support", "https://example.com/help")
	page.run("", "account", "limit", page.Number, "0")
	p = page.as(t, operator, pageOptions{})
	p.visit(page.URL + "/webhooks")
	p.sees("ask at https://example.com/help to raise the limit")
}

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
