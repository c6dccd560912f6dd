package power

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// What TestMain builds.
var (
	binary       string // with checkpoints often
	honestBinary string // as it is shipped
	nextBinary   string // with one more migration
)

func TestMain(m *testing.M) {
	if path := os.Getenv(readerOf); path != "" {
		if err := holdOpen(path); err != nil {
			fmt.Fprintln(os.Stderr, "e2e/power: reader:", err)
			os.Exit(1)
		}
		return
	}
	folder, err := os.MkdirTemp("", "bookhook-power-")
	if err == nil {
		err = buildAll(folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e/power:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

func buildAll(folder string) (err error) {
	lower, err := often()
	if err != nil {
		return err
	}
	for _, b := range []struct {
		path  *string
		name  string
		other sources
	}{{&binary, "often", lower}, {&honestBinary, "honest", nil}, {&nextBinary, "next", nextMigration()}} {
		if *b.path, err = build(folder, b.name, b.other); err != nil {
			return err
		}
	}
	return nil
}

// Set by "make power".
const (
	imagesWanted = "BOOKHOOK_POWER_IMAGES" // in this run; by default some hundred
	countsFile   = "BOOKHOOK_POWER_COUNTS" // the file in which runs are added up
)

// counts are the results of all runs.
type counts struct {
	Recordings, Flushes, Answers, Moments, Images, Broken int
	Seed                                                  uint64 // of the next recording
	Seconds                                               float64
	Last                                                  time.Time
	Kinds                                                 map[string]int // images of each kind of recording
}

func readCounts(t testing.TB, path string) counts {
	t.Helper()
	c := counts{Kinds: map[string]int{}}
	if path == "" {
		return c
	}
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return c
	}
	must(t, err)
	must(t, json.Unmarshal(text, &c))
	return c
}

func (c counts) write(t testing.TB, path string) {
	t.Helper()
	if path == "" {
		return
	}
	text, err := json.MarshalIndent(c, "", "\t")
	must(t, err)
	must(t, os.WriteFile(path+".new", append(text, '\n'), 0o600))
	must(t, os.Rename(path+".new", path)) // complete or not at all
}

// TestPower: whatever a power cut leaves keeps the promises that were made.
func TestPower(t *testing.T) {
	needStrace(t)
	wanted, err := strconv.Atoi(cmp.Or(os.Getenv(imagesWanted), "600"))
	must(t, err)
	path := os.Getenv(countsFile)
	c := readCounts(t, path)
	for done := 0; done < wanted && !t.Failed(); {
		before := c.Images
		t.Run(fmt.Sprint("seed ", c.Seed), func(t *testing.T) { c.one(t, wanted-done, wanted/len(recordings)) })
		done += c.Images - before
		c.write(t, path)
		t.Logf("%d images of %d, %d of them broken; %d in all runs", done, wanted, c.Broken, c.Images)
		if c.Images == before {
			break // something is wrong, and was said
		}
	}
}

// maxTries is how often a recording is made: now and then strace (6.1, with delayed flushes) does not see the last
// calls of a process that is killed.
const maxTries = 3

// one makes a recording and opens its images, about as many as are left, but at least a share of the recording's kind.
func (c *counts) one(t *testing.T, left, share int) {
	began := time.Now()
	kind := recordings[c.Seed%uint64(len(recordings))]
	s, tp := kind.record(t, c.Seed)
	for tries := 1; tp.lost != ""; tries++ {
		if tries == maxTries {
			t.Fatal(tp.lost)
		}
		t.Logf("%s, which is recorded again: %s", kind.name, tp.lost)
		s, tp = kind.record(t, c.Seed)
	}
	p := tp.every(c.Seed)
	if os.Getenv(imagesWanted) == "" {
		p = p.some(min(left, share))
	}
	n := 0
	tp.open(t, p, tp.keeps(t), func(one trial, problems []string) {
		n++
		if len(problems) > 0 {
			c.Broken++
			t.Errorf("%s, seed %d, moment %d, way %d: %d problems, such as %q", kind.name, c.Seed, one.moment, one.way, len(problems), problems[:min(3, len(problems))])
		}
	})
	tp.serve(t, s, p)
	c.Seed++
	c.Recordings++
	c.Images += n
	c.Kinds[kind.name] += n
	c.Moments += len(p.moments)
	c.Seconds += time.Since(began).Seconds()
	c.Last = time.Now().UTC().Truncate(time.Second)
	for _, call := range tp.calls {
		if tp.flush(call) {
			c.Flushes++
		}
	}
	for _, m := range tp.marks {
		if m.kind == taken {
			c.Answers++
		}
	}
	t.Logf("%s: %d images of %d moments in %s", kind.name, n, len(p.moments), time.Since(began).Round(time.Millisecond))
}
