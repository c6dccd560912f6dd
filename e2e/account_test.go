package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// The people of a test account, and the password of each.
const (
	operator = "ada@example.com"
	staff    = "sam@example.com"
	password = "correct horse battery"
)

// account is a server with one account, its people, and a token for its API. A test that is about the way there
// (set-up, sign-in) starts a bare server instead.
type account struct {
	*server
	Number string
	person string // e-mail of its operator
	token  string
}

// startAccount starts a server that may call receivers on this machine, with the account "Ada Tours".
func startAccount(t testing.TB) *account {
	t.Helper()
	folder, a := t.TempDir(), &account{}
	preparedAccount.write(t, folder, a, func(s *server) *account {
		made := &account{server: s, person: operator}
		made.Number = s.addAccount("Ada Tours", operator)
		s.addUser(staff, "staff", made.Number)
		made.token = strings.TrimSpace(s.run("", "token", "add", "--account", made.Number, "till"))
		return made
	})
	a.server = startServerIn(t, folder, "--allow-private-targets", "127.0.0.1")
	return a
}

// addAccount makes an account with an operator and returns its number.
func (s *server) addAccount(name, email string) string {
	s.t.Helper()
	number := strings.TrimSpace(s.run("", "account", "add", name))
	s.addUser(email, "operator", number)
	return number
}

func (s *server) addUser(email, role, number string) {
	s.t.Helper()
	s.run(password+"\n", "user", "add", "--email", email, "--role", role, "--account", number)
}

// as opens a page on which this person is signed in.
func (s *server) as(t testing.TB, email string, o pageOptions) *page {
	t.Helper()
	p := newPage(t, o)
	p.signIn(s.URL, email, password)
	return p
}

// signIn signs in without the form, which login_test.go tests.
func (p *page) signIn(site, email, password string) {
	p.t.Helper()
	if got := p.post(site+"/login", map[string]any{"email": email, "password": password}); got != http.StatusSeeOther {
		p.t.Fatalf("sign in as %s: got %d, want 303", email, got)
	}
}

// post sends a form with the cookies of the page, and returns the status without following a redirect.
func (p *page) post(url string, form map[string]any) int {
	p.t.Helper()
	response, err := p.Context().Request().Post(url, playwright.APIRequestContextPostOptions{
		Form: form, MaxRedirects: new(0), Timeout: limit,
	})
	must(p.t, err)
	return response.Status()
}

// call asks the JSON API, reads the answer into "into" unless that is nil, and ends the test when it is not a success.
func (a *account) call(t testing.TB, method, path string, body, into any) {
	t.Helper()
	text, err := json.Marshal(body)
	must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, a.URL+"/api/v1"+path, bytes.NewReader(text))
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	var answer bytes.Buffer
	_, err = answer.ReadFrom(response.Body)
	must(t, err)
	if response.StatusCode > 299 {
		t.Fatalf("%s %s: status %d: %s", method, path, response.StatusCode, &answer)
	}
	if into != nil {
		must(t, json.Unmarshal(answer.Bytes(), into))
	}
}

// item is a channel or tour as the API has it.
type item struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// addLists gives the account two channels and four tours.
func (a *account) addLists(t testing.TB) {
	t.Helper()
	put := func(path string, items ...item) {
		t.Helper()
		a.call(t, "PUT", path, map[string]any{"items": items}, nil)
	}
	put("/channels", item{"3930", "Website"}, item{"3931", "Viator"})
	put("/tours", item{"12", "Harbour Walk"}, item{"13", "Food Tour"}, item{"14", "Day Trip"}, item{"15", "Night Walk"})
}

// hook is a webhook as the API has it.
type hook struct {
	ID      string   `json:"id,omitempty"`
	Name    string   `json:"name"`
	URL     string   `json:"url"`
	Type    string   `json:"type"`
	Format  string   `json:"format"`
	Events  []string `json:"events"`
	Enabled *bool    `json:"enabled,omitempty"`

	Channels *filter `json:"channels,omitempty"`
	Tours    *filter `json:"tours,omitempty"`
}

type filter struct {
	Mode string   `json:"mode"`
	IDs  []string `json:"ids"`
}

// addHook creates a webhook that receives everything, and returns its id.
func (a *account) addHook(t testing.TB, name, url string) string {
	t.Helper()
	var made hook
	a.call(t, "POST", "/webhooks", hook{Name: name, URL: url, Type: "async", Format: "standard", Events: []string{"*"}}, &made)
	return made.ID
}

// hooks lists the webhooks of the account.
func (a *account) hooks(t testing.TB) []hook {
	t.Helper()
	var list struct{ Items []hook }
	a.call(t, "GET", "/webhooks?limit=200", nil, &list)
	return list.Items
}

// sent is an event that was taken in.
type sent struct {
	ID         string
	Deliveries []struct{ ID string }
}

// send sends an event about this booking.
func (a *account) send(t testing.TB, booking string) sent {
	t.Helper()
	var answer sent
	a.call(t, "POST", "/events", map[string]any{
		"type": "new_confirmed_web", "channel_id": "3930", "tour_ids": []string{"12", "15"}, "booking_id": booking,
		"occurred_at": "2026-11-21T09:00:00Z", "data": map[string]any{"guest": "Zoë 🎟", "pax": 2},
	}, &answer)
	return answer
}
