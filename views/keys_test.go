package views

import (
	"testing"

	"bookhook/webhook"
)

// Each page of the navigation has a key of its own.
func TestGoKeys(t *testing.T) {
	p := Page{User: webhook.User{Role: webhook.RoleAdmin}, Account: webhook.Account{ID: 1}}
	pages := map[string]string{}
	for _, g := range navigation(p) {
		for _, e := range g.entries {
			key := goKeys[e.href]
			if key == "" || pages[key] != "" {
				t.Errorf("%s has the key %q, and so has %q", e.href, key, pages[key])
			}
			pages[key] = e.href
		}
	}
}
