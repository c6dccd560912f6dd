package group

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var (
	errFails = errors.New("it fails")
	errSlow  = errors.New("it took too long")
)

// piped is a connection that keeps what it is asked for. Every statement changes a row,
// but those that begin with "?". "fail" and "slow" fail.
type piped struct {
	log     []string
	changes int
	round   uint64
	failed  error
}

func (c *piped) add(what string) { c.log = append(c.log, what) }

func (c *piped) do(query string) (changed bool, err error) {
	switch {
	case c.failed != nil:
	case strings.HasPrefix(query, "fail"):
		c.failed = errFails
	case strings.HasPrefix(query, "slow"):
		c.failed = errSlow
	case !strings.HasPrefix(query, "?"):
		c.changes++
		return true, nil
	}
	return false, c.failed
}

func (c *piped) Run(all []*Statement) {
	var queries []string
	for _, s := range all {
		queries = append(queries, s.Query)
		if s.Changes, s.Err = c.do(s.Query); s.Changes {
			s.Changed = 1
		}
	}
	c.add(strings.Join(queries, "+"))
}

func (c *piped) Exec(_ context.Context, query string, _ ...any) (int64, error) {
	c.add(query)
	if changed, err := c.do(query); !changed {
		return 0, err
	}
	return 1, nil
}

func (c *piped) Query(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, errors.New("no test has rows")
}

func (c *piped) Begin() error                 { c.failed = nil; c.add("begin"); return nil }
func (c *piped) Commit([]*Statement) error    { c.add("commit"); return nil }
func (c *piped) Rollback()                    { c.round++; c.add("rollback") }
func (c *piped) Savepoint() error             { c.add("("); return nil }
func (c *piped) Undo() error                  { c.round++; c.failed = nil; c.add("undo"); return nil }
func (c *piped) Release() error               { c.add(")"); return nil }
func (c *piped) Changes() int                 { return c.changes }
func (c *piped) Spoiled(error) error          { return c.failed }
func (c *piped) TookTooLong(err error) bool   { return errors.Is(err, errSlow) }
func (c *piped) IsUnavailable(err error) bool { return false }
func (c *piped) Round() uint64                { return c.round }
func (c *piped) Alone() bool                  { return false }

// step is one of a write of the tests: a statement, or one of these.
const (
	alone  = "alone"  // Alone
	gives  = "gives"  // it ends with an error
	panics = "panics" // it panics
)

// tested is a write of a test: its steps, and the key ("" for none).
type tested struct{ key, steps string }

// run runs the steps, and notes what they saw.
func (do tested) run(tx Tx) error {
	for step := range strings.FieldsSeq(do.steps) {
		switch step {
		case alone:
			tx.Alone()
		case gives:
			return errFails
		case panics:
			panic("oh")
		default:
			if _, err := tx.Exec(context.Background(), step); err != nil {
				return err
			}
		}
	}
	return nil
}

// commitAll commits these writes as one group, and returns what became of them.
func commitAll(tb testing.TB, w *Writer, all []tested) (errs []string) {
	tb.Helper()
	var writes []*write
	for _, do := range all {
		turn := Turn{}
		if do.key != "" {
			turn.Alongside = do.key
		}
		wr, err := w.enqueue(tb.Context(), turn, do.run)
		if err != nil {
			tb.Fatal(err)
		}
		writes = append(writes, wr)
	}
	w.drain()
	for _, wr := range writes {
		<-wr.done
		errs = append(errs, strings.TrimPrefix(fmt.Sprint(wr.err), "panic in a write: "))
	}
	return errs
}

func TestAlongside(t *testing.T) {
	for _, tt := range []struct {
		name   string
		writes []tested
		log    string // what the connection did
		errs   string
	}{
		{"one statement of each at a time", []tested{{"a", "a1 a2"}, {"b", "b1"}, {"c", "c1 c2 c3"}}, "begin a1+b1+c1 a2+c2 c3 commit", "- - -"},
		{"one after the other with the same key", []tested{{"a", "a1 a2"}, {"b", "b1 b2 b3"}, {"a", "c1"}, {"a", "d1"}}, "begin a1+b1 a2+b2 b3+c1 d1 commit", "- - - -"},
		{"one alone", []tested{{"a", "a1 a2"}}, "begin a1 a2 commit", "-"},
		{"without a key alone, in its place", []tested{{"a", "a1 a2"}, {"b", "b1"}, {"", "x y"}, {"", "z"}, {"c", "c1 c2"}, {"d", "d1"}}, "begin a1+b1 a2 x y z c1+d1 c2 commit", "- - - - - -"},
		{"in the end alone, in their order", []tested{{"a", "a1 alone a2 a3"}, {"b", "b1 b2"}, {"c", "alone c1 alone"}, {"d", "d1 d2 d3"}}, "begin a1+b1+d1 b2+d2 d3 a2 a3 c1 commit", "- - - -"},
		{"the next of its key after it was alone", []tested{{"a", "alone a1"}, {"a", "b1"}, {"c", "c1"}}, "begin c1 a1 b1 commit", "- - -"},
		{"fails before a change", []tested{{"a", "a1 a2"}, {"b", "? gives"}, {"c", "c1 c2"}}, "begin a1+?+c1 a2+c2 commit", "- fails -"},
		{
			"fails after a change",
			[]tested{{"a", "a1 a2"}, {"b", "b1 gives"}, {"c", "c1 c2"}},
			"begin a1+b1+c1 rollback begin ( a1 a2 ) ( b1 undo ) ( c1 c2 ) commit", "- fails -",
		},
		{
			"fails alone after a change alongside",
			[]tested{{"a", "a1 a2"}, {"b", "b1 alone gives"}},
			"begin a1+b1 a2 rollback begin ( a1 a2 ) ( b1 undo ) commit", "- fails",
		},
		{
			"fails after a change when it was alone",
			[]tested{{"a", "a1"}, {"b", "? alone b1 gives"}},
			"begin a1+? b1 rollback begin ( a1 ) ( ? b1 undo ) commit", "- fails",
		},
		{
			"a statement fails",
			[]tested{{"a", "a1 a2"}, {"b", "b1 fail"}, {"c", "c1 c2"}},
			"begin a1+b1+c1 a2+fail+c2 rollback begin ( a1 a2 ) ( b1 fail undo ) ( c1 c2 ) commit", "- fails -",
		},
		{
			"a statement is too slow",
			[]tested{{"a", "a1"}, {"b", "slow"}, {"c", "c1"}, {"d", "? alone"}},
			"begin a1+slow+c1+? rollback begin ( a1 ) ( c1 ) ( ? ) commit", "- slow - -",
		},
		{
			"panics after a change",
			[]tested{{"a", "a1"}, {"b", "b1 panics"}, {"c", "? alone c1"}},
			"begin a1+b1+? rollback begin ( a1 ) ( b1 undo ) ( ? c1 ) commit", "- oh -",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &piped{}
			errs := strings.NewReplacer("<nil>", "-", errFails.Error(), "fails", errSlow.Error(), "slow").
				Replace(strings.Join(commitAll(t, newWriter(c, len(tt.writes)), tt.writes), " "))
			if log := strings.Join(c.log, " "); log != tt.log {
				t.Errorf("got  %s\nwant %s", log, tt.log)
			}
			if errs != tt.errs {
				t.Errorf("got errors %s, want %s", errs, tt.errs)
			}
		})
	}
}

// TestManyAlongside: no more than maxAlongside run at a time, and all of them in the end.
func TestManyAlongside(t *testing.T) {
	const n = 3*maxAlongside + 1
	var all []tested
	for i := range n {
		all = append(all, tested{fmt.Sprint(i), "x y"})
	}
	c := &piped{}
	errs := commitAll(t, newWriter(c, n), all)
	if i := slices.IndexFunc(errs, func(err string) bool { return err != "<nil>" }); i >= 0 {
		t.Errorf("got error %s", errs[i])
	}
	statements := 0
	for _, batch := range c.log[1 : len(c.log)-1] {
		size := strings.Count(batch, "+") + 1
		if statements += size; size > maxAlongside {
			t.Errorf("got %d statements at once, want at most %d", size, maxAlongside)
		}
	}
	if statements != 2*n {
		t.Errorf("got %d statements, want %d", statements, 2*n)
	}
}

// TestAlongsideLeft: a write whose caller gave up does not run, and keeps none of its key
// waiting.
func TestAlongsideLeft(t *testing.T) {
	c := &piped{}
	w := newWriter(c, 9)
	enqueue := func(ctx context.Context, key, steps string) *write { //nolint:revive // what differs comes after it
		wr, err := w.enqueue(ctx, Turn{Alongside: key}, tested{key, steps}.run)
		if err != nil {
			t.Fatal(err)
		}
		return wr
	}
	ctx, leave := context.WithCancel(t.Context())
	var writes []*write
	for _, steps := range []string{"a1 a2", "gone", "a3", "gone"} {
		of := t.Context()
		if steps == "gone" {
			of = ctx
		}
		writes = append(writes, enqueue(of, "a", steps), enqueue(of, "b", steps))
	}
	leave()
	w.drain()
	for i, wr := range writes {
		want := error(nil)
		if i/2%2 == 1 {
			want = context.Canceled
		}
		if !errors.Is(wr.err, want) {
			t.Errorf("write %d: got error %v, want %v", i, wr.err, want)
		}
	}
	if got, want := strings.Join(c.log, " "), "begin a1+a1 a2+a2 a3+a3 commit"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestAloneAgain: who asks to be alone learns whether others may have run in between.
func TestAloneAgain(t *testing.T) {
	w := newWriter(&piped{}, 9)
	var got []bool
	ask := func(tx Tx) error {
		got = append(got, tx.Alone(), tx.Alone())
		return nil
	}
	for _, key := range []any{nil, 1, 2, nil} {
		if _, err := w.enqueue(t.Context(), Turn{Alongside: key}, ask); err != nil {
			t.Fatal(err)
		}
	}
	w.drain()
	if want := []bool{false, false, true, false, true, false, false, false}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestEndAlongside: writes that wait when the writer ends are run alongside each other.
func TestEndAlongside(t *testing.T) {
	c := &piped{}
	w := newWriter(c, 9)
	var waits []func() error
	for _, key := range []string{"a", "b"} {
		wait, err := w.Enqueue(t.Context(), Turn{Alongside: key}, tested{key, key}.run)
		if err != nil {
			t.Fatal(err)
		}
		waits = append(waits, wait)
	}
	close(w.quit)
	w.loop()
	for _, wait := range waits {
		if err := wait(); err != nil {
			t.Error(err)
		}
	}
	if slices.Index(c.log, "a+b") < 0 && len(c.log) != 6 { // or each was a group of its own
		t.Errorf("got %q", c.log)
	}
}
