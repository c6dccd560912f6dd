package prio

import (
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"bookhook/webhook"
)

func TestUUID(t *testing.T) {
	t.Parallel()
	for id, want := range map[webhook.WebhookID]string{
		0:                  "00000000-0000-8000-8000-000000000000",
		1:                  "00000000-0000-8000-8800-000000000000",
		8:                  "00000000-0000-8001-8000-000000000000",
		1 << 15:            "00000000-0001-8000-8000-000000000000",
		0x0123456789abcdef: "02468acf-1357-89bd-b800-000000000000",
		math.MaxInt64:      "ffffffff-ffff-8fff-b800-000000000000",
	} {
		if got := uuidOf(id); got != want {
			t.Errorf("%d: got %s, want %s", id, got, want)
		}
		for _, text := range []string{want, strings.ToUpper(want)} {
			if got, err := parseUUID(text); got != id || err != nil {
				t.Errorf("%s: got %d, %v, want %d", text, got, err, id)
			}
		}
	}
}

func TestUUIDsSortLikeTheirIDs(t *testing.T) {
	t.Parallel()
	newID, err := webhook.NewIDs()
	if err != nil {
		t.Fatal(err)
	}
	before := webhook.FirstID[webhook.WebhookID](time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	for range 100 {
		id := webhook.WebhookID(newID())
		if uuidOf(id) <= uuidOf(before) {
			t.Fatalf("%s of %d does not sort behind %s of %d", uuidOf(id), id, uuidOf(before), before)
		}
		before = id
	}
}

func TestParseUUIDRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "x", "whk_01h9xfw1t000f",
		"02468acf135789bdb800000000000000",       // without hyphens
		"02468acf-1357-89bd-b800-000000000001",   // what is zero
		"02468acf-1357-49bd-b800-000000000000",   // another version
		"02468acf-1357-89bd-7800-000000000000",   // another variant
		"02468acf-1357-89bd-b900-000000000000",   //
		"02468acf-1357-89bd-b800-00000000000",    // short
		"02468acf-1357-89bd-b800-0000000000000",  // long
		"0-2468acf-1357-89bdb800-000000000000",   // hyphens elsewhere
		"{02468acf-1357-89bd-b800-000000000000}", // as some write them
		"02468acg-1357-89bd-b800-000000000000",
	} {
		if id, err := parseUUID(text); !errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("%q: got %d, %v, want it not to be found", text, id, err)
		}
	}
}

func FuzzUUID(f *testing.F) {
	f.Add(int64(0), "02468acf-1357-89bd-b800-000000000000")
	f.Add(int64(math.MaxInt64), "ſ2468acf-1357-89bd-b800-000000000000")
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	f.Fuzz(func(t *testing.T, n int64, text string) {
		id := webhook.WebhookID(n & math.MaxInt64)
		if got, err := parseUUID(uuidOf(id)); got != id || err != nil || !form.MatchString(uuidOf(id)) {
			t.Errorf("%d is %s, read as %d, %v", id, uuidOf(id), got, err)
		}
		if read, err := parseUUID(text); err == nil && (read < 0 || uuidOf(read) != strings.ToLower(text)) {
			t.Errorf("%q is read as %d, which is %s", text, read, uuidOf(read))
		}
	})
}
