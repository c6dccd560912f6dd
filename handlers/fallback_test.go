package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/mail/smtptest"
	"bookhook/webhook"
)

const office = "office@example.com"

func fallbackForm(email, guests string) url.Values {
	return url.Values{"email": {email}, "guests": {guests}}
}

func TestFallback(t *testing.T) {
	t.Parallel()
	s, server := newMailSite(t, smtptest.Options{})
	s.sendMail()
	w := s.hook("https://example.com/")
	at := "/webhooks/" + w.ID.String()
	b := s.signIn(anna)
	b.get(at+"/settings").is(http.StatusOK).has("If it fails: send the bookings by e-mail", "Send the link", "With guests’ names and contact data").lacks("Waiting for confirmation", "E-mail is not set up")
	b.post(at+"/fallback", fallbackForm("nobody", "1")).is(http.StatusUnprocessableEntity).has("Enter an e-mail address", `value="nobody"`, `name="guests" value="1" checked`)
	b.follow(at+"/fallback", fallbackForm(" Office@Example.com", "")).has("We are sending a link to office@example.com.", "Waiting for confirmation", "Send the link again", "Not sent", "chosen by "+anna)
	link := path(t, server.Next(t))

	tim := s.signIn(staff)
	tim.get(at+"/settings").has("Waiting for confirmation", office).lacks("Send the link", "Remove", `name="email"`)
	for _, act := range []string{"", "/send", "/remove"} {
		tim.post(at+"/fallback"+act, fallbackForm("tim@example.com", "")).is(http.StatusForbidden)
		s.signIn(others).post(at+"/fallback"+act, fallbackForm("o@example.com", "")).is(http.StatusNotFound)
		s.anonymous().post(at+"/fallback"+act, fallbackForm("o@example.com", "")).is(http.StatusSeeOther)
		request := b.request(http.MethodPost, at+"/fallback"+act, fallbackForm("x@example.com", "").Encode())
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "https://elsewhere.example")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		b.do(request).is(http.StatusForbidden)
	}
	b.get(at+"/settings").has("Waiting for confirmation", office)

	outside := s.anonymous()
	address, query, _ := strings.Cut(link, "?")
	token := strings.TrimPrefix(query, "token=")
	for range 2 { // as a mail scanner does
		p := outside.get(link).is(http.StatusOK).has("Confirm this address?", office, w.Name, "They have no data of guests.", anna)
		if got := p.header.Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("Referrer-Policy: got %q", got)
		}
	}
	b.get(at + "/settings").has("Waiting for confirmation")
	for _, wrong := range []string{"", "x", token[:len(token)-1], auth.UnsubscribeToken(stopKey, 1)} {
		for _, p := range []page{outside.get(address + "?token=" + wrong), outside.post(address, url.Values{"token": {wrong}})} {
			p.is(http.StatusNotFound).has("This link does not work").lacks(office, w.Name, s.account.Name)
		}
	}
	outside.post(address, url.Values{"token": {token}}).is(http.StatusOK).has("The address is confirmed")
	outside.post(address, url.Values{"token": {token}}).is(http.StatusNotFound)
	outside.get(link).is(http.StatusNotFound)
	b.get(at+"/settings").has("Confirmed").lacks("Send the link again", "Waiting for confirmation")
	b.follow(at+"/fallback/send", nil).has(office + " is confirmed already.")
	b.follow(at+"/fallback", fallbackForm("new@example.com", "1")).has("We are sending a link to new@example.com.", "Waiting for confirmation")
	link = path(t, server.Next(t))
	outside.get(link).has("They have guests’ names and contact data.")
	b.follow(at+"/fallback/send", nil).has("We are sending a link to new@example.com.")
	server.Next(t)
	outside.get(link).is(http.StatusNotFound)
	for range webhook.MaxConfirmationsTo - 2 {
		b.post(at+"/fallback/send", nil).is(http.StatusSeeOther)
		server.Next(t)
	}
	b.post(at+"/fallback/send", nil).is(http.StatusUnprocessableEntity).has("5 messages to confirm it were sent to this address within a day")
	b.follow(at+"/fallback/remove", nil).has("Bookings are no longer sent to new@example.com.").lacks("Waiting for confirmation")
	b.post(at+"/fallback/remove", nil).is(http.StatusNotFound)
	b.get("/settings/activity").has("Asked "+office+" to confirm that it gets the bookings of the webhook “"+w.Name+"”", "Confirmed that "+office+" gets", "Removed new@example.com, which got",
		"Asked new@example.com once more")
	b.get("/settings/mail").has("Confirmation of an address", office)
}

// TestFallbackGuests: who confirmed is asked again when guests' data are added, and confirms
// only what the page showed.
func TestFallbackGuests(t *testing.T) {
	t.Parallel()
	s, server := newMailSite(t, smtptest.Options{})
	s.sendMail()
	at := "/webhooks/" + s.hook("https://example.com/").ID.String()
	b, outside := s.signIn(anna), s.anonymous()
	b.follow(at+"/fallback", fallbackForm(office, ""))
	address, token, _ := strings.Cut(path(t, server.Next(t)), "?token=")
	outside.post(address, url.Values{"token": {token}}).is(http.StatusOK).has("The address is confirmed")
	b.follow(at+"/fallback", fallbackForm(office, "1")).has("We are sending a link to "+office, "Waiting for confirmation", "Sent, too")
	_, token, _ = strings.Cut(path(t, server.Next(t)), "?token=")
	outside.get(address+"?token="+token).has("They have guests’ names and contact data.", `name="guests" value="1"`)
	outside.post(address, url.Values{"token": {token}}).is(http.StatusConflict).has("Confirm this address?", "What is sent was changed while this page was open.", "They have guests’ names and contact data.", `name="guests" value="1"`)
	b.get(at + "/settings").has("Waiting for confirmation")
	outside.post(address, url.Values{"token": {token}, "guests": {"1"}}).is(http.StatusOK).has("The address is confirmed")
	b.follow(at+"/fallback", fallbackForm(office, "")).has("Saved what is sent to "+office, "Confirmed", "Not sent").lacks("Waiting for confirmation")
	if len(server.Messages) > 0 {
		t.Error("asked again, to send less")
	}
	b.get("/settings/activity").has("Asked "+office+" to confirm that it gets guests’ names and contact data, too", "Left guests’ names and contact data out of what "+office+" gets")

	b.get(at + "/settings").has("chosen by " + anna).lacks("who is no longer a user")
	user, err := s.store.UserByEmail(t.Context(), anna)
	s.check(err)
	tim := s.signIn(staff)
	s.check(s.store.RemoveUser(t.Context(), s.account.ID, user.ID, webhook.Change{By: staff, At: time.Now()}))
	tim.get(at + "/settings").has("chosen by " + anna + ", who is no longer a user")
}

// TestStopFallback: who gets the messages ends them by the link in one, and operators see it.
func TestStopFallback(t *testing.T) {
	t.Parallel()
	s, server := newMailSite(t, smtptest.Options{})
	s.sendMail()
	w, other := s.hook("https://example.com/"), s.hook("https://example.com/other")
	b := s.signIn(anna)
	for _, w := range []*webhook.Webhook{w, other} {
		b.post("/webhooks/"+w.ID.String()+"/fallback", fallbackForm(office, "")).is(http.StatusSeeOther)
		_, token, _ := strings.Cut(path(t, server.Next(t)), "token=")
		s.check(s.store.ConfirmFallback(t.Context(), auth.HashSecret(token), false, time.Now()))
	}
	link := "/fallback/stop?token=" + auth.StopToken(stopKey, w.ID, office)
	outside := s.anonymous()
	outside.get(link).is(http.StatusOK).has("Stop these messages?", office, w.Name)
	for name, token := range map[string]string{
		"none": "", "forged": w.ID.String() + ".x", "by another key": auth.StopToken([]byte("k"), w.ID, office), "of another address": auth.StopToken(stopKey, w.ID, "o@example.com"),
		"of no webhook": auth.StopToken(stopKey, 7, office), "of a person": auth.UnsubscribeToken(stopKey, webhook.UserID(w.ID)),
	} {
		for _, p := range []page{outside.get("/fallback/stop?token=" + token), outside.post("/fallback/stop?token="+token, nil)} {
			p.is(http.StatusNotFound).has("This link does not work").lacks(office, w.Name)
		}
		b.get("/webhooks/" + w.ID.String() + "/settings").has("Confirmed")
		if t.Failed() {
			t.Fatalf("%s: stopped", name)
		}
	}
	request := outside.request(http.MethodPost, link, "List-Unsubscribe=One-Click") // as RFC 8058 has it, without a cookie and from anywhere
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", "https://mail.example.com")
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	outside.do(request).is(http.StatusOK).has("No more messages", office)
	outside.post(link, nil).is(http.StatusOK)
	b.get("/webhooks/"+w.ID.String()+"/settings").has("Stopped by who gets the messages", "Send the link again")
	b.get("/webhooks/" + other.ID.String() + "/settings").has("Confirmed")
	b.get("/settings/activity").has("Stopped what "+office+" gets while the webhook “"+w.Name+"” fails, by the link in a message.", office)
}

func TestFallbackNotOffered(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := s.hook("https://example.com/")
	at := "/webhooks/" + w.ID.String()
	b := s.signIn(anna)
	b.get(at+"/settings").has("E-mail is not set up, so nothing can be sent.", `href="/settings/mail"`).lacks(`name="email"`)
	b.post(at+"/fallback", fallbackForm(office, "")).is(http.StatusUnprocessableEntity).has("E-mail is not set up")
	b.post(at+"/fallback/send", nil).is(http.StatusUnprocessableEntity)
	s.signIn(staff).get(at+"/settings").has("Ask an administrator of this Bookhook to set it up.", "No address was chosen.")

	s, _ = newMailSite(t, smtptest.Options{})
	inline := s.hook("https://example.com/inline", func(w *webhook.Webhook) {
		w.Kind, w.AllEvents, w.Events = webhook.Inline, false, []string{"new_confirmed_web"}
	})
	at = "/webhooks/" + inline.ID.String()
	b = s.signIn(anna)
	b.get(at + "/settings").has("nothing waits for it").lacks(`name="email"`)
	b.post(at+"/fallback", fallbackForm(office, "")).is(http.StatusUnprocessableEntity).has("Nothing waits for a synchronous webhook")
}
