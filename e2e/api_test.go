package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestAPIRefusesInWords(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	op.webhook("Accounting", in.URL, nil)
	for _, tt := range []struct {
		name, body string
		status     int
		field      string // that has a problem; "" when it is the whole body
	}{
		{"no JSON", `{"type":`, 400, ""},
		{"no object", `[]`, 400, ""},
		{"no type", `{}`, 422, "type"},
		{"unknown type", `{"type":"teleported"}`, 422, "type"},
		{"unknown field", `{"type":"cancelled","colour":"red"}`, 422, "colour"},
		{"a time that is none", `{"type":"cancelled","occurred_at":"yesterday"}`, 422, "occurred_at"},
	} {
		got := op.ask("POST", "/events", tt.body).refused(t, tt.status)
		if tt.field != "" && got.Errors[tt.field] == "" {
			t.Errorf("%s: got errors %q, want one for %s", tt.name, got.Errors, tt.field)
		}
	}
	op.ask("GET", "/deliveries/dlv_0000000000000", nil).refused(t, http.StatusNotFound)
	op.ask("GET", "/nothing", nil).refused(t, http.StatusNotFound)
	stranger := *op.account
	stranger.token = "bh_nobody"
	(&shop{&stranger}).ask("GET", "/events", nil).refused(t, http.StatusUnauthorized)
	if n := in.waiting(); n != 0 {
		t.Errorf("the receiver got %d requests, want none", n)
	}
}

func TestAPITakesAnEventOnce(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Accounting", in.URL, nil)
	first := op.event(oddEvent)
	again := op.ask("POST", "/events", oddEvent)
	var second accepted
	again.want(t, http.StatusOK, &second)
	if fmt.Sprint(first) != fmt.Sprint(second) {
		t.Errorf("the same event again: got %+v, want %+v", second, first)
	}
	if got := op.ask("POST", "/events", strings.Replace(oddEvent, "3930", "3931", 1)).refused(t, http.StatusConflict); !strings.Contains(got.Detail, "tc-1") {
		t.Errorf("detail: got %q, want one that names the id", got.Detail)
	}
	op.await(first.to(hook), "delivered")
	op.await(op.booking("last").to(hook), "delivered")
	isAttempt(t, in.next(t), first.to(hook), 1)
	in.next(t)
	if n := in.waiting(); n != 0 {
		t.Errorf("the receiver got %d requests too many", n)
	}
}

func TestAPIOfAnotherAccountIsNotFound(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	in := receiver(t)
	hook := op.webhook("Accounting", in.URL, nil)
	e := op.booking("1")
	op.await(e.to(hook), "delivered")
	other := *op.account
	other.Number = op.addAccount("Other Tours", "eve@example.com")
	other.token = strings.TrimSpace(op.run("", "token", "add", "--account", other.Number, "till"))
	eve := &shop{&other}
	for _, call := range []string{
		"GET /events/" + e.ID, "GET /deliveries/" + e.to(hook), "POST /deliveries/" + e.to(hook) + "/replay",
		"GET /webhooks/" + hook.ID, "DELETE /webhooks/" + hook.ID, "POST /webhooks/" + hook.ID + "/test",
	} {
		method, path, _ := strings.Cut(call, " ")
		eve.ask(method, path, nil).refused(t, http.StatusNotFound)
	}
	p := op.as(t, "eve@example.com", pageOptions{})
	for _, id := range []string{e.ID, e.to(hook), hook.ID} {
		if got := p.visit(op.page(id)); got != http.StatusNotFound {
			t.Errorf("page of %s: got %d, want 404", id, got)
		}
	}
	p.visit(op.URL + "/deliveries?webhook_id=" + hook.ID)
	p.sees("There is no such webhook")
	p.lacks("Accounting")
}

// The server refuses a body after its first bytes, while the client still sends the rest: the answer must come through,
// whatever the client is.
func TestBodyThatIsTooLongIsRefusedInWords(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	long := `{"type":"cancelled","data":"` + strings.Repeat("x", 5<<20) + `"}`
	refused := func(t *testing.T, r reply) {
		t.Helper()
		if got := r.refused(t, http.StatusRequestEntityTooLarge); !strings.Contains(got.Detail, "4 MiB") {
			t.Errorf("detail: got %q, want one with the limit", got.Detail)
		}
	}
	t.Run("Go", func(t *testing.T) {
		for range 2 {
			r, err := op.try(caller, "POST", "/events", long)
			must(t, err)
			refused(t, r)
		}
	})
	t.Run("chunked", func(t *testing.T) {
		request, err := http.NewRequest("POST", op.URL+"/api/v1/events", io.MultiReader(strings.NewReader(long))) // of unknown length
		must(t, err)
		request.Header.Set("Authorization", "Bearer "+op.token)
		response, err := caller.Do(request)
		must(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		must(t, err)
		refused(t, reply{response.StatusCode, response.Header, body})
	})
	t.Run("one that sends all before it reads", func(t *testing.T) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(op.URL, "http://"))
		must(t, err)
		defer conn.Close()
		must(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = fmt.Fprintf(conn, "POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			op.token, len(long), long)
		must(t, err)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		must(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		must(t, err)
		refused(t, reply{response.StatusCode, response.Header, body})
	})
	t.Run("curl", func(t *testing.T) {
		curl, err := exec.LookPath("curl")
		if err != nil {
			t.Skip("there is no curl here")
		}
		cmd := exec.CommandContext(t.Context(), curl, "-sS", "-w", "%{http_code}", "-H", "Authorization: Bearer "+op.token,
			"-H", "Content-Type: application/json", "--data-binary", "@-", op.URL+"/api/v1/events")
		cmd.Stdin = strings.NewReader(long)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.HasSuffix(string(out), "413") {
			t.Errorf("got %s, %v; want 413", out, err)
		}
	})
	op.event(`{"type":"cancelled","data":"` + strings.Repeat("x", 500<<10) + `"}`) // half a MiB is fine
	if got := op.ask("POST", "/events", `{"type":"cancelled","data":"`+strings.Repeat("x", 2<<20)+`"}`).
		refused(t, http.StatusUnprocessableEntity); got.Errors["data"] == "" {
		t.Errorf("errors of 2 MiB of data: got %q, want one for data", got.Errors)
	}
}

func TestAPIDescribesItself(t *testing.T) {
	t.Parallel()
	op := newShop(t)
	response, err := caller.Get(op.URL + "/api/openapi.json") // without a token
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	reply{response.StatusCode, response.Header, body}.want(t, http.StatusOK, &struct{ OpenAPI string }{})
	if !strings.Contains(string(body), "/deliveries/{id}/replay") {
		t.Error("the description lacks the replay")
	}
}
