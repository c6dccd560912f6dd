package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bookhook/bench"
	"bookhook/db/postgres/pgtest"
)

// TestBench runs all of it, for a moment each: how fast it is does not matter here,
// whether it finds everything again does.
func TestBench(t *testing.T) {
	t.Setenv(asMain, "1")
	temp, kept := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	file := filepath.Join(kept, "bench.json")
	var out, progress bytes.Buffer
	b := benchCommand{Connections: 4, Full: true, Deliveries: 1000, Accounts: 2, Dir: kept, JSON: file}
	if err := b.measure(t.Context(), 300*time.Millisecond, database{key: secretKeyFile(newKeyFile(t))}, streams{strings.NewReader(""), &out, &progress}); err != nil && !strings.Contains(err.Error(), "miss their limits") {
		t.Fatalf("%v after:\n%s", err, &progress)
	}
	var report bench.Report
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &report)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Measurements) != 31 {
		t.Errorf("got %d measurements, want 31", len(report.Measurements))
	}
	delivered := 0
	for _, m := range report.Measurements {
		if m.Lost != 0 || m.Duplicated != 0 || m.Unrecorded != 0 || m.Refused != 0 {
			t.Errorf("%s, %s: got %d lost, %d duplicated, %d unrecorded, %d refused, want none", m.Name, m.Way, m.Lost, m.Duplicated, m.Unrecorded, m.Refused)
		}
		if m.AcceptedPerSecond <= 0 || m.Accept.P50 <= 0 || m.Accept.Max < m.Accept.P99 {
			t.Errorf("%s, %s: got %+v, want figures", m.Name, m.Way, m)
		}
		delivered += m.Delivered
	}
	if delivered == 0 {
		t.Error("got nothing delivered in any measurement")
	}
	for _, want := range []string{"delivered, share of that limit", "resident memory, idle", "overload, concurrency 8: delivered", "backlog: accepted", "drain beside fresh events: waiting", "of another webhook of the account", "rows deleted meanwhile", "beside one with slow receivers everywhere", "full table: delivered", "one in ten dead or slow", "lost, in all measurements"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &out)
		}
	}
	nothingIn(t, temp)
	if _, err := os.Stat(filepath.Join(kept, "bench-1000-2.db")); err != nil {
		t.Errorf("got %v, want the full table kept", err)
	}
}

// TestBenchReplicas: replicas share a database, and a database that is used is refused.
func TestBenchReplicas(t *testing.T) {
	t.Setenv(asMain, "1")
	at := database{path: databasePath(pgtest.Database(t, "template1"))}
	var out, progress bytes.Buffer
	b := benchCommand{Connections: 4}
	if err := b.measure(t.Context(), 300*time.Millisecond, at, streams{strings.NewReader(""), &out, &progress}); err != nil && !strings.Contains(err.Error(), "miss their limits") {
		t.Fatalf("%v after:\n%s", err, &progress)
	}
	for _, want := range []string{"PostgreSQL, 1 replica: delivered", "PostgreSQL, 4 replicas: delivered", "share of what one replica delivers"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &out)
		}
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if (strings.HasPrefix(line, "lost") || strings.HasPrefix(line, "duplicated") || strings.HasPrefix(line, "webhooks with")) && !strings.HasSuffix(line, "PASS") {
			t.Errorf("got %s", line)
		}
	}
	if err := b.measure(t.Context(), time.Second, at, streams{strings.NewReader(""), &out, &progress}); err == nil || !strings.Contains(err.Error(), "is in use") {
		t.Errorf("a second time: got %v, want that the database is in use", err)
	}
}

func nothingIn(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("got %v, %v, want nothing left behind", left, err)
	}
}

// measured runs a benchmark of this binary; the processes that it started are
// appended to started.
func measured(ctx context.Context, t *testing.T, progress io.Writer, started *[]*exec.Cmd, more ...string) error {
	t.Helper()
	t.Setenv(asMain, "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, err = bench.Run(ctx, bench.Options{
		Command: func(args ...string) *exec.Cmd {
			cmd := exec.Command(self, append(args, more...)...)
			*started = append(*started, cmd)
			return cmd
		},
		Time: patience, Connections: 4, Progress: progress,
	})
	for _, cmd := range *started {
		if cmd.ProcessState == nil {
			t.Errorf("got a process that was left behind: %s", cmd)
		}
	}
	return err
}

func TestBenchSaysWhyBookhookEnded(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	err := measured(t.Context(), t, io.Discard, new([]*exec.Cmd), "--nonsense")
	if err == nil || !strings.Contains(err.Error(), "unknown flag --nonsense") {
		t.Errorf("got %v, want what the process said", err)
	}
	nothingIn(t, temp)
}

// onLine does something when a line was written, and is done with it before
// the writer goes on.
type onLine struct {
	line string
	do   func()
}

func (w onLine) Write(text []byte) (int, error) {
	if string(text) == w.line {
		w.do()
	}
	return len(text), nil
}

func TestBenchInterrupted(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, interrupt := context.WithCancel(t.Context())
	if err := measured(ctx, t, onLine{"saturation, bare POST\n", interrupt}, new([]*exec.Cmd)); err == nil {
		t.Error("got no error from what was interrupted")
	}
	nothingIn(t, temp)
}
