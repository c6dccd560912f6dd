package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// scrape reads the metrics of a Bookhook that a test started.
func scrape(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("got %d, %v", response.StatusCode, err)
	}
	return string(text)
}

// TestMetrics: what was accepted and delivered is counted, without the names of anybody;
// promtool and the dashboard know all metrics.
func TestMetrics(t *testing.T) {
	database := filepath.Join(t.TempDir(), "bookhook.db")
	answers := make(chan int, 2)
	answers <- http.StatusOK
	answers <- http.StatusInternalServerError
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(<-answers) }))
	t.Cleanup(receiver.Close)
	srv := launch(t, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--database", database, "--allow-private-targets", "127.0.0.1")
	url := srv.waitFor(`metrics at (\S+)`)[1]
	sell(t, database, srv.url, receiver.URL)
	book(t, srv.url, must(t, "", "token", "add", "--account", "4069", "another", "--database", database))
	var text string
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(text, `bookhook_attempts_total{outcome="status"}`) && time.Now().Before(deadline); {
		text = scrape(t, url)
	}
	for _, want := range []string{
		`bookhook_events_total{platform="tourcms"} 2`, "bookhook_deliveries_created_total 2", `bookhook_attempts_total{outcome="success"} 1`,
		`bookhook_attempts_total{outcome="status"} 1`, `bookhook_deliveries_finished_total{outcome="delivered"} 1`, "bookhook_delivery_latency_seconds_count 1",
		"bookhook_attempt_duration_seconds_count 2", "bookhook_waiting_deliveries 1", "bookhook_database_up 1", "bookhook_shards_held 61", `bookhook_build_info{version="` + version + `"} 1`, "go_goroutines ", "process_cpu_seconds_total ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	for _, secret := range []string{"Night Tours", "Accounting", "whk_", receiver.URL} {
		if strings.Contains(text, secret) {
			t.Errorf("it has %q", secret)
		}
	}
	if size := regexp.MustCompile(`bookhook_database_bytes (\S+)`).FindStringSubmatch(text); size == nil || strings.HasPrefix(size[1], "-") || size[1] == "0" {
		t.Errorf("the database has %v bytes", size)
	}
	for _, name := range []string{"docs/monitoring/alerts.yml", "docs/monitoring/grafana.json"} {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, metric := range regexp.MustCompile(`\b(bookhook|process)_[a-z_]+`).FindAllString(string(file), -1) {
			if metric = strings.TrimSuffix(metric, "_bucket"); !strings.Contains(text, "# TYPE "+metric+" ") {
				t.Errorf("%s: there is no metric %s", name, metric)
			}
		}
	}
	promtool(t, text, "check", "metrics")
	promtool(t, "", "check", "rules", "docs/monitoring/alerts.yml")
	promtool(t, "", "test", "rules", "docs/monitoring/alerts_test.yml")
}

// promtool runs it, where it is installed (on Debian it is part of the package prometheus).
func promtool(t *testing.T, input string, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("promtool is not installed")
		return
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
}

// TestMetricsAddress: one that is taken is said so, and nothing is left running.
func TestMetricsAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	untouched := filepath.Join(t.TempDir(), "bookhook.db")
	refused(t, "choose another address with --metrics-listen", 1, "", "--listen", "127.0.0.1:0", "--metrics-listen", taken.Addr().String(), "--database", untouched)
	if _, err := os.Stat(untouched); !os.IsNotExist(err) {
		t.Errorf("got %v, want no database made by a Bookhook that cannot listen", err)
	}
}
