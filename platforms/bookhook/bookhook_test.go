package bookhook

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestSamples: each type has a sample of its own subject and state.
func TestSamples(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	kinds := map[string]string{"webhook": "outage", "certificate": "certificate", "requests": "rejected", "platform": "silence"}
	for _, e := range Platform().Events {
		var n Notice
		if err := json.Unmarshal(Sample(e.Key, "", now).Data, &n); err != nil {
			t.Fatal(err)
		}
		about, _, _ := strings.Cut(e.Key, ".")
		if resolved := strings.HasSuffix(e.Key, ".resolved"); !strings.HasPrefix(n.Incident, kinds[about]+"/") || (n.State == Resolved) != resolved || n.ClosedAt.IsZero() == resolved {
			t.Errorf("%s: got %+v", e.Key, n)
		}
	}
}
