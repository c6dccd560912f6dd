package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"bookhook/bench"
	"bookhook/webhook"
)

// TestMain lets the test's binary run River in a process of its own, as the program does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == riverCommand {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestRound: in a short round each program delivers, and nothing is lost or duplicated.
func TestRound(t *testing.T) {
	if _, err := findPrograms(); err != nil {
		t.Skip(err)
	}
	const rounds = 1
	r, err := measure(t.Context(), "", time.Second, rounds, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.check(); err != nil {
		t.Error(err)
	}
	for _, way := range r.ways() {
		all := r.of(way)
		if len(all) != rounds {
			t.Fatalf("%s: got %d measurements, want %d", way, len(all), rounds)
		}
		if m := all[0]; m.Delivered == 0 || m.Delivery.Count == 0 || m.Refused > 0 {
			t.Errorf("%s: got %d delivered, %d refused, want some and none", way, m.Delivered, m.Refused)
		}
	}
	var table bytes.Buffer
	if err := r.write(&table); err != nil {
		t.Fatal(err)
	}
	t.Log(&table)
	if strings.Contains(table.String(), "unknown version") {
		t.Error("got a table without versions")
	}
}

// TestInterrupted: an interruption leaves nothing behind.
func TestInterrupted(t *testing.T) {
	if _, err := findPrograms(); err != nil {
		t.Skip(err)
	}
	temp, err := os.MkdirTemp("", "peers-test-") // not t.TempDir: a socket's path must be short, and PostgreSQL's user must reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	if err := os.Chmod(temp, 0o711); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	progress := writerFunc(func(text []byte) (int, error) {
		if strings.Contains(string(text), grouped) {
			interrupt()
		}
		return len(text), nil
	})
	if _, err := measure(ctx, temp, time.Second, 1, progress); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was interrupted", err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("got %v, %v, want an empty folder", left, err)
	}
}

type writerFunc func([]byte) (int, error)

// Write calls the function.
func (f writerFunc) Write(text []byte) (int, error) { return f(text) }

// TestSender: a foreign receiver accepts the signature; only 2xx is a success.
func TestSender(t *testing.T) {
	secret := webhook.NewSecret()
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	status := http.StatusNoContent
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err = errors.Join(err, verifier.Verify(body, r.Header)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		w.WriteHeader(status)
	}))
	defer receiver.Close()
	s := newSender(receiver.URL, secret)
	defer s.transport.CloseIdleConnections()
	job := &river.Job[eventArgs]{JobRow: &rivertype.JobRow{ID: 7}, Args: eventArgs{[]byte(`{"a": "ü"}`)}}
	if err := s.Work(t.Context(), job); err != nil {
		t.Errorf("got %v, want success", err)
	}
	status = http.StatusInternalServerError
	if err := s.Work(t.Context(), job); err == nil {
		t.Error("got success, want an error for 500")
	}
}

func TestWrite(t *testing.T) {
	r := result{peers: []bench.Peer{{Name: grouped}}, rounds: 2, report: &bench.Report{}}
	for _, delivered := range []float64{2000, 1000, 4000, 1000} { // both in turn
		m := &bench.Measurement{Way: bench.Stored, DeliveredPerSecond: delivered}
		if len(r.report.Measurements)%2 == 1 {
			m.Way = grouped
		}
		r.report.Measurements = append(r.report.Measurements, m)
	}
	var table bytes.Buffer
	if err := errors.Join(r.write(&table), r.check()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3000/s [2000–4000]    1000/s [1000–1000]", "3.00 × [2.00–4.00]", "memory "} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("got\n%s, want %q in it", &table, want)
		}
	}
	r.report.Measurements[3].Lost = 1
	if err := r.check(); err == nil || !strings.Contains(err.Error(), grouped+": 1 events lost") {
		t.Errorf("got %v, want that an event was lost", err)
	}
}

func TestArguments(t *testing.T) {
	for _, args := range [][]string{{"--seconds", "0"}, {"--rounds", "-1"}, {"--seconds", "x"}, {"more"}, {riverCommand}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q: got no error", args)
		}
	}
}
