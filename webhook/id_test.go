package webhook_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestIDText(t *testing.T) {
	tests := []struct {
		id   webhook.EventID
		want string
	}{
		{1, "evt_0000000000002"},
		{0x0102030405060708, "evt_041061050r3gg"},
		{math.MaxInt64, "evt_fzzzzzzzzzzzy"},
	}
	for _, tt := range tests {
		if got := tt.id.String(); got != tt.want {
			t.Errorf("%d: got %s, want %s", tt.id, got, tt.want)
		}
		if got, err := webhook.ParseID[webhook.EventID](tt.want); err != nil || got != tt.id {
			t.Errorf("%s: got %d, %v, want %d", tt.want, got, err, tt.id)
		}
	}
}

// The id of a client is shown without an underscore, and read with one, too.
func TestClientID(t *testing.T) {
	const id = webhook.ClientID(0x0102030405060708)
	if got := id.String(); got != "cli041061050r3gg" {
		t.Errorf("got %s", got)
	}
	for text, want := range map[string]webhook.ClientID{
		"cli041061050r3gg": id, "cli_041061050r3gg": id,
		"cli__041061050r3gg": 0, "_041061050r3gg": 0, "cli-041061050r3gg": 0, "cli%5F041061050r3gg": 0, "cli": 0, "cli_": 0,
	} {
		if got, err := webhook.ParseID[webhook.ClientID](text); got != want || (err != nil) != (want == 0) {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	tests := []struct{ name, text string }{
		{"empty", ""},
		{"prefix only", "evt"},
		{"no characters", "evt_"},
		{"no underscore", "evt0000000000002"},
		{"two underscores", "evt__0000000000002"},
		{"another prefix", "whk_0000000000002"},
		{"no prefix", "0000000000002"},
		{"prefix in capitals", "EVT_0000000000002"},
		{"twelve characters", "evt_000000000002"},
		{"fourteen characters", "evt_00000000000002"},
		{"capitals", "evt_000000000000G"},
		{"letter left out: i", "evt_000000000000i"},
		{"letter left out: l", "evt_000000000000l"},
		{"letter left out: o", "evt_000000000000o"},
		{"letter left out: u", "evt_000000000000u"},
		{"a bit too many at the end", "evt_0000000000003"},
		{"zero", "evt_0000000000000"},
		{"negative", "evt_g000000000000"},
		{"all bits", "evt_zzzzzzzzzzzzy"},
		{"padding", "evt_000000000000="},
		{"space before", " evt_0000000000002"},
		{"space after", "evt_0000000000002 "},
		{"one line break", "evt_000000000000\n"},
		{"line breaks inside", "evt_0000\r\n0000000"},
		{"only line breaks", "evt_" + strings.Repeat("\n", 13)},
		{"multibyte", "evt_00000000000é"},
		{"a number", "1"},
		{"very long", "evt_" + strings.Repeat("0", 1<<20)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := webhook.ParseID[webhook.EventID](tt.text)
			if !errors.Is(err, webhook.ErrNotFound) || got != 0 {
				t.Fatalf("got %d, %v, want 0 and ErrNotFound", got, err)
			}
			if len(err.Error()) > 300 {
				t.Errorf("the message has %d bytes, want it short", len(err.Error()))
			}
		})
	}
}

func TestIDTextsSortLikeIDs(t *testing.T) {
	ids := []webhook.EventID{
		0, 1, 2, 15, 16, 31, 32, 33, 1023, 1 << 20, 1<<31 - 1, 1 << 31, 1 << 32, 1<<41 + 5,
		1 << 53, 1<<53 + 1, 1<<62 - 1, 1 << 62, math.MaxInt64 - 1, math.MaxInt64,
	}
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	if !slices.IsSorted(texts) {
		t.Errorf("texts of ascending ids are not ascending: %q", texts)
	}
	if got := len(slices.Compact(texts)); got != len(ids) {
		t.Errorf("got %d different texts, want %d", got, len(ids))
	}
}

func TestFirstID(t *testing.T) {
	epoch := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		at   time.Time
		want webhook.EventID
	}{
		{"epoch", epoch, 0},
		{"a millisecond later", epoch.Add(time.Millisecond), 1 << 22},
		{"within a millisecond", epoch.Add(2*time.Millisecond - 1), 1 << 22},
		{"another zone", epoch.Add(time.Second).In(time.FixedZone("", -3600)), 1000 << 22},
		{"before the epoch", epoch.Add(-time.Hour), 0},
		{"long before", time.Time{}, 0},
		{"the last millisecond", epoch.Add((1<<41 - 1) * time.Millisecond), (1<<41 - 1) << 22},
		{"after the last millisecond", epoch.Add(1 << 41 * time.Millisecond), math.MaxInt64},
		{"long after", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), math.MaxInt64},
	}
	for _, tt := range tests {
		if got := webhook.FirstID[webhook.EventID](tt.at); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestFirstIDBoundsNewIDs(t *testing.T) {
	next := newIDs(t)
	before := time.Now()
	id := next()
	after := time.Now()
	least, most := webhook.FirstID[webhook.EventID](before), webhook.FirstID[webhook.EventID](after.Add(time.Millisecond))
	if id < least || id >= most {
		t.Errorf("got %d, want it from %d to below %d", id, least, most)
	}
}

func newIDs(tb testing.TB) func() webhook.EventID {
	tb.Helper()
	next, err := webhook.NewIDs()
	if err != nil {
		tb.Fatal(err)
	}
	return func() webhook.EventID { return webhook.EventID(next()) }
}

func TestNewIDsAscend(t *testing.T) {
	next := newIDs(t)
	last, lastText := webhook.EventID(0), ""
	for i := range 100_000 {
		id := next()
		text := id.String()
		if id <= last || text <= lastText {
			t.Fatalf("id %d: got %d %s after %d %s, want it greater", i, id, text, last, lastText)
		}
		last, lastText = id, text
	}
}

func TestNewIDsConcurrently(t *testing.T) {
	const makers, each = 8, 5_000
	next := newIDs(t)
	made := make([][]webhook.EventID, makers)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			for range each {
				made[i] = append(made[i], next())
			}
		})
	}
	wg.Wait()
	for i, ids := range made {
		if !slices.IsSorted(ids) {
			t.Errorf("goroutine %d: ids are not ascending", i)
		}
	}
	all := slices.Concat(made...)
	slices.Sort(all)
	if got := len(slices.Compact(all)); got != makers*each {
		t.Errorf("got %d different ids, want %d", got, makers*each)
	}
}

func FuzzParseID(f *testing.F) {
	for _, text := range []string{
		"", "evt_", "evt_0000000000002", "evt_fzzzzzzzzzzzy", "evt_g000000000000", "whk_0000000000002",
		"evt_0000000000003", "evt_0000\r\n0000000", "evt_\n\n\n\n\n\n\n\n\n\n\n\n\n", "evt_00000000000é",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := webhook.ParseID[webhook.EventID](text)
		switch {
		case err != nil && (id != 0 || !errors.Is(err, webhook.ErrNotFound)):
			t.Errorf("%q: got %d, %v, want 0 and ErrNotFound", text, id, err)
		case err == nil && (id < 0 || id.String() != text):
			t.Errorf("%q: got %d, which is shown as %q", text, id, id.String())
		}
	})
}
