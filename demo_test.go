package main

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"bookhook/demo"
)

// TestDemo keeps the demo's promise: within ten seconds the log shows
// deliveries that arrived, that wait for another try, and that failed.
func TestDemo(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	d := launch(t, "demo", "--listen", "127.0.0.1:0")
	if got := signIn(t, d.url, d.printed(`E-mail +(\S+)$`), d.printed(`Password +(\S+)$`)); got != http.StatusSeeOther {
		t.Errorf("sign-in: got %d, want 303", got)
	}
	token := d.printed(`Bearer (bh_[\w-]+)'`)
	for _, query := range []string{"state=delivered", "state=pending", "state=failed"} {
		awaitDelivery(t, d.url+"/api/v1/deliveries?"+query, token)
	}
	if status, body := get(t, d.url+"/api/v1/webhooks", token); status != http.StatusOK || len(items(t, body)) < 5 {
		t.Errorf("got %d %s, want several webhooks", status, body)
	}
	d.stop()
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("got %v, %v, want nothing left behind", left, err)
	}
}

// awaitDelivery asks until the list has a delivery that was tried.
func awaitDelivery(t *testing.T, url, token string) {
	t.Helper()
	for began := time.Now(); time.Since(began) < patience; <-time.After(20 * time.Millisecond) {
		status, body := get(t, url, token)
		if status != http.StatusOK {
			t.Fatalf("%s: got %d %s", url, status, body)
		}
		for _, delivery := range items(t, body) {
			if delivery["attempts_made"] != 0.0 {
				return
			}
		}
	}
	t.Errorf("%s: got none within %s", url, patience)
}

func items(t *testing.T, body string) []map[string]any {
	t.Helper()
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return list.Items
}

func TestDemoTakesAFreePort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	d := launch(t, "demo", "--listen", taken.Addr().String())
	if d.printed(`^`+taken.Addr().String()+` (is in use)`) == "" || d.url == "http://"+taken.Addr().String() {
		t.Errorf("got %s and %q, want a word about the port and another one", d.url, d.seen)
	}
}

func TestDemoScheduleIsShort(t *testing.T) {
	var total time.Duration
	for _, pause := range demo.Schedule {
		total += pause
	}
	if total+total/10 > 9*time.Second { // with jitter
		t.Errorf("got %s until a delivery has failed, want less than nine seconds", total)
	}
}
