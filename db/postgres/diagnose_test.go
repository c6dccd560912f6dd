package postgres

import (
	"testing"
	"time"
)

// TestCompareClocks: a second is wrong, beyond what asking took.
func TestCompareClocks(t *testing.T) {
	for _, tt := range []struct {
		skew, asking time.Duration
		want         Severity
	}{
		{900 * time.Millisecond, 0, Fine},
		{-1100 * time.Millisecond, 0, Wrong},
		{1100 * time.Millisecond, time.Second, Fine},
		{2 * time.Second, time.Second, Wrong},
	} {
		var h Health
		h.compareClocks(tt.skew, tt.asking)
		want(t, tt.skew.String(), h.Findings[0].Severity, tt.want)
	}
}
