package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestPlatforms(t *testing.T) {
	database := newDatabase(t)
	at := func(args ...string) []string { return append(args, "--account", "4069", "--database", database) }
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", database)
	first := must(t, "", at("platform", "on", "tourcms")...)
	wink := must(t, "", at("platform", "on", "wink")...)
	if again := must(t, "", at("platform", "on", "wink")...); again != wink || !strings.HasPrefix(wink, "/in/wink/") || len(wink) != len("/in/wink/")+26 {
		t.Errorf("got %q and %q, want one address", wink, again)
	}
	if got := must(t, "", at("platform", "off", "wink")...); got != "" {
		t.Errorf("off: got %q", got)
	}
	second := must(t, "", at("platform", "rotate", "tourcms")...)
	if second == first || !strings.HasPrefix(second, "/in/tourcms/") {
		t.Errorf("got %q after %q, want a new address", second, first)
	}
	refused(t, "Night Tours (account 4069) has never used London Theatre Direct; switch it on first: bookhook platform on --account 4069 ltd", 1, "", at("platform", "rotate", "ltd")...)
	refused(t, "has never used London Theatre Direct", 1, "", at("platform", "off", "ltd")...)
	refused(t, `PLATFORM: "bokun" is not tourcms, prioticket,`, 2, "", at("platform", "on", "bokun")...)
	refused(t, "there is no account 1 in "+database, 1, "", "platform", "on", "wink", "--account", "1", "--database", database)

	store := open(t, database)
	account, err := store.AccountByNumber(t.Context(), 4069)
	if err != nil {
		t.Fatal(err)
	}
	for platform, on := range map[string]bool{"tourcms": true, "wink": false} {
		c, err := store.Connection(t.Context(), account.ID, platform)
		if err != nil || c.Enabled != on || c.Path() != map[string]string{"tourcms": second, "wink": wink}[platform] {
			t.Errorf("%s: got %+v, %v, want it on: %t", platform, c, err, on)
		}
	}
	srv := launch(t, "serve", "--listen", "127.0.0.1:0", "--database", database)
	for path, want := range map[string]int{first: http.StatusMethodNotAllowed, second: http.StatusMethodNotAllowed, second + "x": http.StatusNotFound} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, srv.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, response.StatusCode, want)
		}
	}
}
