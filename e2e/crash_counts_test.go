package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// counts are the sums of all runs.
type counts struct {
	Seed          uint64 // of the next round
	Rounds        int
	Failed        []uint64 // seeds of rounds that found something wrong, whatever else they counted
	Kills, Starts int
	Faults        map[string]*faultCounts `json:",omitempty"` // of "make chaos", by name
	tally
	Seconds float64
	Last    time.Time
}

func readCrashCounts(t testing.TB, path string) *counts {
	t.Helper()
	c := &counts{}
	text, err := os.ReadFile(path)
	if path == "" || os.IsNotExist(err) {
		return c
	}
	must(t, err)
	must(t, json.Unmarshal(text, c))
	return c
}

func (n *counts) write(t testing.TB, path string) {
	t.Helper()
	if path == "" {
		return
	}
	text, err := json.MarshalIndent(n, "", "\t")
	must(t, err)
	must(t, os.WriteFile(path+".new", append(text, '\n'), 0o600))
	must(t, os.Rename(path+".new", path)) // complete or not at all
}

// ended notes how a round ended.
func (n *counts) ended(seed uint64, passed bool) {
	n.Seed = seed + 1
	n.Rounds++
	if !passed {
		n.Failed = append(n.Failed, seed)
	}
	n.Last = time.Now().UTC().Truncate(time.Second)
}

// add adds what an audit counted.
func (n *counts) add(t tally) {
	n.Events += t.Events
	n.Letters += t.Letters
	n.Questions += t.Questions
	n.Replays += t.Replays
	n.Deliveries += t.Deliveries
	n.Waiting += t.Waiting
	n.Attempts += t.Attempts
	n.CutOff += t.CutOff
	n.Twice += t.Twice
	n.Lost += t.Lost
}

// String is one line.
func (n *counts) String() string {
	what := fmt.Sprintf("%d kills and %d starts", n.Kills, n.Starts)
	if n.Faults != nil {
		what = "faults"
	}
	return fmt.Sprintf("%s in %d rounds, %d of them failed; %d events, %d letters of platforms, %d questions and %d replays answered; "+
		"%d deliveries with %d attempts, %d cut off; %d taken twice; %d lost; %.0f s",
		what, n.Rounds, len(n.Failed), n.Events, n.Letters, n.Questions, n.Replays,
		n.Deliveries, n.Attempts, n.CutOff, n.Twice, n.Lost, n.Seconds)
}

// keptFolder is a folder for a database. If the test fails, it stays, with what the processes printed.
func keptFolder(t testing.TB, seed uint64) string {
	t.Helper()
	folder, err := os.MkdirTemp("", fmt.Sprint("bookhook-crash-seed-", seed, "-"))
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the database and the log of all its processes are in %s", folder)
			return
		}
		must(t, os.RemoveAll(folder))
	})
	return folder
}

// keepLog adds what the process printed to a file beside the database.
func (s *server) keepLog() { s.keepLogIn(filepath.Join(filepath.Dir(s.Database), "serve.log")) }

func (s *server) keepLogIn(path string) {
	s.t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(s.t, err)
	defer file.Close()
	_, err = file.WriteString(s.log.String())
	must(s.t, err)
}
