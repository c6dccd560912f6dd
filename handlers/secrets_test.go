package handlers_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bookhook/seal"
	"bookhook/webhook"
)

// TestSecretsAtRest: whatever is entered, shown, sent and received, no secret
// is in the database's files when they are encrypted. Without a key those are
// found that are stored; of what is stored as a hash only, nothing ever is.
func TestSecretsAtRest(t *testing.T) {
	t.Parallel()
	for _, encrypted := range []bool{true, false} {
		t.Run(fmt.Sprintf("encrypted %t", encrypted), func(t *testing.T) {
			t.Parallel()
			s := newWizard(t)
			if encrypted {
				key, err := seal.ParseKey(seal.NewKey())
				s.check(err)
				_, err = s.store.UseKey(t.Context(), key)
				s.check(err)
			}
			sealed, hashed := s.enterSecrets()
			for name, secret := range sealed {
				if found := s.inFiles(secret); encrypted == found {
					t.Errorf("%s: found %t", name, found)
				}
			}
			for name, secret := range hashed {
				if s.inFiles(secret) {
					t.Errorf("%s: found, and should be a hash", name)
				}
			}
		})
	}
}

// enterSecrets does with each kind of secret what people and programs do. It
// returns those that Bookhook keeps, and those of which it keeps a hash.
func (s *site) enterSecrets() (sealed, hashed map[string]string) {
	s.Helper()
	b, r := s.signIn(anna), newReceiver(s, 200)
	sealed = map[string]string{}
	draft := b.begin()
	b.post(draft+"/type", steps()[webhook.StepType]).is(http.StatusSeeOther)
	b.basicDraft(draft, r.URL, "basic", "draft:of the river").is(http.StatusSeeOther)
	sealed["Basic value of a draft"] = encode("draft:of the river")
	b.post(draft+"/test", nil).is(http.StatusOK).has("The test arrived")

	draft = b.begin()
	b.post(draft+"/type", steps()[webhook.StepType]).is(http.StatusSeeOther)
	b.basicDraft(draft, r.URL, "basic", "guide:river boat").is(http.StatusSeeOther)
	b.post(draft+"/events", url.Values{"all_events": {"1"}}).is(http.StatusSeeOther)
	b.post(draft+"/channels", url.Values{"channels_mode": {"all"}}).is(http.StatusSeeOther)
	b.post(draft+"/tours", url.Values{"tours_mode": {"all"}}).is(http.StatusSeeOther)
	p := b.finished(draft)
	sealed["Basic value of a webhook"] = encode("guide:river boat")
	sealed["previous signing secret"] = p.find(`(whsec_[A-Za-z0-9+/=]+)`)
	hook := must(s, s.store.Webhooks, s.account.ID)[0].ID.String()
	sealed["signing secret"] = b.follow("/webhooks/"+hook+"/rotate", url.Values{"shown": {p.find(`name="shown" value="([^"]+)"`)}}).find(`(whsec_[A-Za-z0-9+/=]+)`)
	s.enterPlatformSecrets(b, sealed)

	b.post("/webhooks/"+hook+"/test", nil)
	s.settled() // an attempt with the Basic value, and its signature
	return sealed, s.enterHashedSecrets(b)
}

// enterPlatformSecrets stores API keys, has an address replaced, and receives an
// event and what cannot be read at both.
func (s *site) enterPlatformSecrets(b *browser, sealed map[string]string) {
	s.Helper()
	b.post(platformsPage+"/tourcms/settings", url.Values{"api_key": {"T0URCM5KEY"}, "api_url": {"http://127.0.0.1:1"}}).is(http.StatusSeeOther)
	b.post(platformsPage+"/prioticket/switch", url.Values{"enabled": {"1"}}).is(http.StatusSeeOther)
	b.post(platformsPage+"/prioticket/settings", url.Values{"basic": {`pr10"ticket`}}).is(http.StatusSeeOther)
	sealed["API key"], sealed["Basic value of a platform"] = "T0URCM5KEY", `pr10"ticket`
	before := s.connection("tourcms")
	b.post(platformsPage+"/tourcms/rotate", url.Values{"replaced": {before.Token}}).is(http.StatusSeeOther)
	now := s.connection("tourcms")
	sealed["address"], sealed["previous address"] = now.Token, before.Token
	for _, c := range []webhook.Connection{before, now} {
		s.send("POST", c.Path(), "<response><") // rejected, and kept
		s.send("GET", c.Path()+"?event=cancelled&account_id=4069&channel_id=3930&booking_id=7", "")
	}
	if len(s.rejected()) == 0 || len(s.events()) == 0 {
		s.Error("nothing was rejected or received")
	}
	prioticket := s.connection("prioticket")
	s.send("POST", prioticket.Path(), "{", header("Authorization", `Basic pr10"ticket`))
}

// enterHashedSecrets creates tokens, clients and people.
func (s *site) enterHashedSecrets(b *browser) map[string]string {
	s.Helper()
	hashed := map[string]string{"password": password}
	address, err := url.Parse(s.url)
	s.check(err)
	for _, cookie := range b.client.Jar.Cookies(address) {
		hashed["cookie "+cookie.Name] = cookie.Value
	}
	hashed["API token"] = b.post("/settings/tokens", url.Values{"name": {"till"}}).is(http.StatusCreated).find(`(bh_[A-Za-z0-9_-]{20,})`)
	p := b.post("/settings/clients", url.Values{"name": {"portal"}}).is(http.StatusCreated)
	hashed["client secret"] = p.find(`(bhs[0-9A-Z]{52})<`)
	request := b.request(http.MethodPost, prio+"/oauth2/token", ask)
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(p.find(`(cli[0-9a-z]{13})<`), hashed["client secret"])
	hashed["access token"] = b.do(request).is(http.StatusOK).find(`"access_token":"([^"]+)"`)
	return hashed
}

// inFiles reports whether a text stands in any file of the database, in any form
// in which text is stored.
func (s *site) inFiles(text string) bool {
	s.Helper()
	entries, err := os.ReadDir(s.folder)
	s.check(err)
	escaped, err := json.Marshal(text)
	s.check(err)
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(s.folder, entry.Name()))
		s.check(err)
		for _, form := range []string{
			text, strings.Trim(string(escaped), `"`), url.QueryEscape(text), encode(text), base64.RawURLEncoding.EncodeToString([]byte(text)),
		} {
			if bytes.Contains(content, []byte(form)) {
				return true
			}
		}
	}
	return false
}
