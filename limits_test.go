package main

import (
	"fmt"
	"testing"

	"bookhook/webhook"
)

// TestLimits: at a limit the commands say so in one sentence, create nothing, and
// work again after a removal.
func TestLimits(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--database", database) }
	must(t, "", at("account", "add", "Night Tours", "--number", "4069")...)
	store := open(t, database)
	account, err := store.AccountByNumber(t.Context(), 4069)
	if err != nil {
		t.Fatal(err)
	}
	for n := range webhook.MaxTokens {
		if _, err := store.AddToken(t.Context(), webhook.Token{Account: account.ID, Name: "T"}, fmt.Append(nil, n), change()); err != nil {
			t.Fatal(err)
		}
	}
	for range webhook.MaxClients {
		if _, err := store.AddClient(t.Context(), webhook.Client{Account: account.ID, Name: "C"}, []byte("h"), change()); err != nil {
			t.Fatal(err)
		}
	}
	for n := range webhook.MaxPeople {
		u := webhook.User{Account: account.ID, Email: fmt.Sprintf("p%d@example.com", n), Role: webhook.RoleStaff}
		if _, err := store.AddUser(t.Context(), u, change()); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, "This account has 100 API tokens and may have 100. Revoke one", 1, "", at("token", "add", "--account", "4069", "till")...)
	refused(t, "This account has 50 clients and may have 50. Revoke one", 1, "", at("client", "add", "--account", "4069", "portal")...)
	refused(t, "This account has 200 people and may have 200. Remove somebody", 1, "", at("user", "add", "--account", "4069", "--email", "anna@example.com", "--role", "staff")...)
	must(t, "", at("user", "remove", "--email", "p1@example.com")...)
	must(t, "", at("user", "add", "--account", "4069", "--email", "anna@example.com", "--role", "staff")...)
	must(t, "", at("user", "add", "--email", "boss@example.com", "--role", "admin")...) // of no account
}
