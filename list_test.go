package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// listed runs a list command with --json and returns its items.
func listed(t *testing.T, args ...string) (items []map[string]any) {
	t.Helper()
	text := must(t, "", append(args, "--json")...)
	if err := json.Unmarshal([]byte(text), &items); err != nil || items == nil {
		t.Fatalf("bookhook %q: got %q, %v, want a JSON array", args, text, err)
	}
	for _, item := range items {
		created, _ := item["created_at"].(string)
		if at, err := time.Parse(time.RFC3339, created); err != nil || at.Location() != time.UTC || time.Since(at) > time.Hour {
			t.Errorf("bookhook %q: got created_at %q, %v, want a time in UTC", args, created, err)
		}
	}
	return items
}

// row wants a table with this head and a row of these cells.
func row(t *testing.T, table, head, cells string) {
	t.Helper()
	lines := strings.Split(table, "\n")
	squeezed := regexp.MustCompile(` {3,}`)
	for i, line := range lines {
		lines[i] = squeezed.ReplaceAllString(line, "|")
	}
	want := regexp.MustCompile("^" + strings.ReplaceAll(cells, "|", `\|`) + "$")
	for _, line := range lines[1:] {
		if lines[0] == head && want.MatchString(line) {
			return
		}
	}
	t.Errorf("got %q, want the head %s and a row like %s", lines, head, cells)
}

const aTime = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`

func TestAccountList(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--database", database) }
	if got := listed(t, at("account", "list")...); len(got) != 0 {
		t.Errorf("got %v, want no accounts", got)
	}
	must(t, "", at("account", "add", "Night & Day Tours", "--number", "4069")...)
	must(t, "", at("user", "add", "--email", "ann@example.com", "--role", "staff", "--account", "4069")...)
	got := listed(t, at("account", "list")...)
	if len(got) != 1 || got[0]["number"] != 4069.0 || got[0]["name"] != "Night & Day Tours" || got[0]["users"] != 1.0 ||
		got[0]["webhooks"] != 0.0 || got[0]["webhook_limit"] != 10.0 || got[0]["time_zone"] != "UTC" {
		t.Errorf("got %v, want Night & Day Tours", got)
	}
	row(t, must(t, "", at("account", "list")...), "NUMBER|NAME|TIME ZONE|WEBHOOKS|LIMIT|USERS|CREATED",
		`4069|Night & Day Tours|UTC|0|10|1|`+aTime)
}

func TestUserListAndRemove(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--database", database) }
	must(t, "", at("account", "add", "Night Tours", "--number", "4069")...)
	must(t, "", at("account", "add", "Day Tours", "--number", "7")...)
	root := must(t, "", at("user", "add", "--email", "root@example.com", "--role", "admin")...)
	must(t, "", at("user", "add", "--email", "ann@example.com", "--role", "staff", "--account", "4069")...)
	must(t, "", at("user", "add", "--email", "bob@example.com", "--role", "operator", "--account", "7")...)

	all := listed(t, at("user", "list")...)
	if len(all) != 3 || all[0]["email"] != "root@example.com" || all[0]["account"] != nil || all[1]["account"] != 4069.0 || all[2]["role"] != "operator" {
		t.Errorf("got %v, want the three users", all)
	}
	if got := listed(t, at("user", "list", "--account", "4069")...); len(got) != 1 || got[0]["email"] != "ann@example.com" {
		t.Errorf("got %v, want the user of account 4069", got)
	}
	refused(t, "there is no account 8 in "+database, 1, "", at("user", "list", "--account", "8")...)
	row(t, must(t, "", at("user", "list")...), "E-MAIL|ROLE|ACCOUNT|CREATED", `root@example.com|admin|-|`+aTime)

	srv := launch(t, at("serve", "--listen", "127.0.0.1:0")...)
	for _, email := range []string{"Ann@example.com", "root@example.com"} { // of an account, and of none
		if got := must(t, "", at("user", "remove", "--email", email)...); got != "" {
			t.Errorf("got %q on standard output, want nothing", got)
		}
	}
	refused(t, "nobody signs in with ann@example.com in "+database, 1, "", at("user", "remove", "--email", "ann@example.com")...)
	if got := listed(t, at("user", "list")...); len(got) != 1 || got[0]["email"] != "bob@example.com" {
		t.Errorf("got %v, want bob@example.com alone", got)
	}
	if got := signIn(t, srv.url, "root@example.com", root); got != http.StatusUnprocessableEntity {
		t.Errorf("sign-in of a removed user: got %d, want 422", got)
	}
}

func TestTokenListAndRevoke(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--account", "4069", "--database", database) }
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database)
	must(t, "", at("token", "add", "till")...)
	got := listed(t, at("token", "list")...)
	if len(got) != 1 || got[0]["name"] != "till" || got[0]["last_used_at"] != nil {
		t.Fatalf("got %v, want the token till, never used", got)
	}
	id, _ := got[0]["id"].(string)
	row(t, must(t, "", at("token", "list")...), "ID|NAME|CREATED|LAST USED", id+`|till|`+aTime+`|never`)
	must(t, "", at("token", "revoke", id)...)
	refused(t, "Night Tours (account 4069) has no token "+id, 1, "", at("token", "revoke", id)...)
	if got := listed(t, at("token", "list")...); len(got) != 0 {
		t.Errorf("got %v, want no tokens", got)
	}
}

// TestRevokedTokenIsRefused: a running Bookhook notices within a second.
func TestRevokedTokenIsRefused(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--account", "4069", "--database", database) }
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database)
	token := must(t, "", at("token", "add", "till")...)
	srv := launch(t, "--listen", "127.0.0.1:0", "--database", database)
	if status, body := get(t, srv.url+"/api/v1/account", token); status != http.StatusOK {
		t.Fatalf("got %d %s, want 200", status, body)
	}
	used := listed(t, at("token", "list")...)
	if used[0]["last_used_at"] == nil {
		t.Errorf("got %v, want when it was last used", used)
	}
	must(t, "", at("token", "revoke", used[0]["id"].(string))...)
	for began := time.Now(); ; <-time.After(50 * time.Millisecond) {
		status, body := get(t, srv.url+"/api/v1/account", token)
		if status == http.StatusUnauthorized {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("got %d %s, want 401", status, body)
		}
	}
}

func TestClientListAndRevoke(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--account", "4069", "--database", database) }
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database)
	printed := must(t, "", at("client", "add", "reseller")...)
	id := regexp.MustCompile(`client_id=(\S+)`).FindStringSubmatch(printed)[1]
	got := listed(t, at("client", "list")...)
	if len(got) != 1 || got[0]["name"] != "reseller" || got[0]["client_id"] != id || got[0]["last_used_at"] != nil {
		t.Errorf("got %v, want the client %s, never used", got, id)
	}
	row(t, must(t, "", at("client", "list")...), "CLIENT ID|NAME|CREATED|LAST USED", id+`|reseller|`+aTime+`|never`)
	must(t, "", at("client", "revoke", id)...)
	refused(t, "Night Tours (account 4069) has no client "+id, 1, "", at("client", "revoke", id)...)
	if got := listed(t, at("client", "list")...); len(got) != 0 {
		t.Errorf("got %v, want no clients", got)
	}
}
