package power

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
)

// workers open images at the same time. One more core would gain little: the machine is shared with other tests.
const workers = 2

// honest is a disk that flushes what it is told to flush.
func honest(*call) bool { return false }

// moments are when the power is cut: before and after each flush and each change of a name, and at each answer and
// request.
func (tp *tape) moments() []int {
	at := map[int]bool{}
	for _, c := range tp.calls {
		if tp.flush(c) || tp.renames(c) {
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

// trial is an image to open.
type trial struct {
	moment int
	way    way
	files  image
}

// plan is which images of a recording are made: of these moments, in these ways and some of the others.
type plan struct {
	seed    uint64
	ignores func(*call) bool
	moments []int
	ways    []way
	others  int // of the other ways, picked for each moment
}

// every is the plan for a recording that is used in full.
func (tp *tape) every(seed uint64) plan {
	return plan{seed: seed, ignores: honest, moments: tp.moments(), ways: []way{nothing, all}, others: 2}
}

// some is a plan with about n images, over the whole recording.
func (p plan) some(n int) plan {
	rng := rand.New(rand.NewPCG(p.seed, 4))
	p.moments = slices.Clone(p.moments)
	rng.Shuffle(len(p.moments), func(i, j int) { p.moments[i], p.moments[j] = p.moments[j], p.moments[i] })
	p.moments = p.moments[:min(len(p.moments), max(1, n/(len(p.ways)+p.others)))]
	slices.Sort(p.moments)
	return p
}

// images makes the images of the plan.
func (tp *tape) images(p plan, do func(trial)) error {
	rng := rand.New(rand.NewPCG(p.seed, 3))
	d := newDisk(tp, rng, p.ignores)
	for _, moment := range p.moments {
		if err := d.advance(moment); err != nil {
			return err
		}
		ways := slices.Clone(p.ways)
		for _, w := range rng.Perm(int(waysToCut)) {
			if len(ways) < len(p.ways)+p.others && !slices.Contains(ways, way(w)) {
				ways = append(ways, way(w))
			}
		}
		for _, w := range ways {
			do(trial{moment, w, d.cut(w, rng)})
		}
	}
	return nil
}

// open opens the images of a plan, and calls result for each with what is wrong with it. Only one call runs at a time.
func (tp *tape) open(t testing.TB, p plan, check func(trial) []string, result func(trial, []string)) {
	t.Helper()
	trials := make(chan trial)
	var work sync.WaitGroup
	var mu sync.Mutex
	for range workers {
		work.Go(func() {
			for one := range trials {
				problems := check(one)
				mu.Lock()
				result(one, problems)
				mu.Unlock()
			}
		})
	}
	err := tp.images(p, func(one trial) { trials <- one })
	close(trials)
	work.Wait()
	must(t, err)
}

// keeps opens an image with the code of this program.
func (tp *tape) keeps(t testing.TB) func(trial) []string {
	return func(one trial) []string {
		folder := imageFolder(t)
		defer os.RemoveAll(folder) //nolint:errcheck // it is in memory
		if err := one.files.write(folder); err != nil {
			return []string{err.Error()}
		}
		return append(tp.promises(one.moment).keeps(t.Context(), folder), tp.keepsCopies(t, one)...)
	}
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
