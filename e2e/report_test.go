package e2e

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// TestReport: the page of a failure says who can fix it, and has a text for the receiver's engineer whose command
// repeats the request with a signature of now. For POST and GET it is really run.
func TestReport(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"openssl", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	o := newShop(t)
	for _, format := range []string{"standard", "native"} {
		in := receiver(t)
		in.answerWith(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "The ledger's 'books' are closed", http.StatusInternalServerError)
		})
		books := o.webhook("Accounting", in.URL+"/hook?key=a%20b", map[string]any{"format": format})
		e := o.event(map[string]any{"type": "cancelled", "booking_id": "12'34", "data": map[string]any{"guest": "Zoë's \"party\" $HOME `id`"}})
		d := o.awaitAttempts(e.to(books), 1)
		in.next(t)

		p := o.as(t, operator, pageOptions{})
		p.visit(o.page(d.ID))
		p.sees("Whoever runs Accounting can fix this.")
		p.opens("A text for whoever runs Accounting")
		text := p.text("#report")
		for _, part := range []string{"500 Internal Server Error", "The ledger's 'books' are closed", d.ID, "12'34", "too old"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: the report lacks %q:\n%s", format, part, text)
			}
		}
		axe(t, p)
		_, command, found := strings.Cut(text, "signing secret):\n\n")
		if !found || !strings.Contains(command, "whsec_...") {
			t.Fatalf("%s: the report has no command for a signature of now:\n%s", format, text)
		}
		out, err := exec.Command("sh", "-c", strings.Replace(command, "whsec_...", books.Secret, 1)).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s\n%s", format, err, out, command)
		}
		again := in.next(t)
		for again.Header.Get("bookhook-attempt") != "1" { // a retry of Bookhook
			again = in.next(t)
		}
		verify(t, again, books.Secret)
		o.ask("DELETE", "/webhooks/"+books.ID, nil)
	}
}
