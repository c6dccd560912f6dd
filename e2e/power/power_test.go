package power

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// What TestMain builds.
var (
	binary       string // with checkpoints often, see build
	honestBinary string // as it is shipped
)

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "bookhook-power-")
	if err == nil {
		if binary, err = build(folder, true); err == nil {
			honestBinary, err = build(folder, false)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e/power:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// honest is a disk that flushes what it is told to flush.
func honest(*call) bool { return false }

// moments are when the power is cut: before and after each flush, and at each answer.
func (tp *tape) moments() []int {
	at := map[int]bool{}
	for _, c := range tp.calls {
		if tp.flush(c) {
			at[c.begin], at[min(c.end, tp.lines)+1] = true, true
		}
	}
	for _, m := range tp.marks {
		if m.kind != heard && m.kind != asked {
			at[m.at+1] = true
		}
	}
	return slices.Sorted(maps.Keys(at))
}

// trial is one image to open.
type trial struct {
	moment int
	way    way
	files  image
}

// cuts makes the images of all moments, in every way, until more returns false.
func (tp *tape) cuts(seed uint64, ignores func(*call) bool, moments []int, do func(trial) (more bool)) error {
	rng := rand.New(rand.NewPCG(seed, 3))
	d := newDisk(tp, rng, ignores)
	for _, moment := range moments {
		if err := d.advance(moment); err != nil {
			return err
		}
		for w := range waysToCut {
			if !do(trial{moment, w, d.cut(w, rng)}) {
				return nil
			}
		}
	}
	return nil
}

// open opens images with some workers, and calls each result.
func (tp *tape) open(t testing.TB, seed uint64, ignores func(*call) bool, moments []int, result func(trial, []string) (more bool)) {
	t.Helper()
	trials := make(chan trial)
	var more atomic.Bool
	more.Store(true)
	var workers sync.WaitGroup
	var mu sync.Mutex
	for range 2 {
		workers.Go(func() {
			for one := range trials {
				folder := imageFolder(t)
				problems := tp.promises(one.moment).keeps(t.Context(), folder, one.files)
				_ = os.RemoveAll(folder)
				mu.Lock()
				if more.Load() && !result(one, problems) {
					more.Store(false)
				}
				mu.Unlock()
			}
		})
	}
	err := tp.cuts(seed, ignores, moments, func(one trial) bool {
		trials <- one
		return more.Load()
	})
	close(trials)
	workers.Wait()
	must(t, err)
}

// imageFolder is a new folder in memory, if there is such a place.
func imageFolder(t testing.TB) string {
	base := "/dev/shm"
	if _, err := os.Stat(base); err != nil {
		base = ""
	}
	folder, err := os.MkdirTemp(base, "bookhook-power-")
	if err != nil {
		t.Error(err)
	}
	return folder
}

func TestTry(t *testing.T) {
	s := newShop(t, 1)
	r := newRecording(t, binary, s.folder)
	began := time.Now()
	r.start()
	s.load(r.URL, 200)
	r.end(syscall.SIGTERM)
	t.Log("recorded", time.Since(began))
	tp := r.tape()
	t.Log("read", time.Since(began))
	kinds := map[markKind]int{}
	for _, m := range tp.marks {
		kinds[m.kind]++
	}
	flushes := map[string]int{}
	for _, c := range tp.calls {
		if tp.flush(c) {
			flushes[filepath.Base(c.on)]++
		}
	}
	moments := tp.moments()
	t.Log(tp.lines, len(tp.calls), kinds, flushes, len(moments))
	n, bad := 0, 0
	began = time.Now()
	tp.open(t, 1, honest, moments, func(one trial, problems []string) bool {
		n++
		if len(problems) > 0 {
			bad++
			if bad < 10 {
				t.Errorf("moment %d way %d: %q", one.moment, one.way, problems[:min(3, len(problems))])
			}
		}
		return n < 600
	})
	t.Log(n, bad, time.Since(began))
}
