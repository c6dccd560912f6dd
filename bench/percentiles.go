package bench

import (
	"math"
	"slices"
	"time"
)

// Percentiles are exact, in milliseconds.
type Percentiles struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p99_9_ms"`
	Max   float64 `json:"max_ms"`
}

// percentiles sorts the durations and returns their percentiles.
func percentiles(all []time.Duration) Percentiles {
	slices.Sort(all)
	return Percentiles{
		Count: len(all), P50: percentile(all, 0.5), P99: percentile(all, 0.99), P999: percentile(all, 0.999), Max: percentile(all, 1),
	}
}

// percentile returns the smallest of the sorted durations, in milliseconds, that
// at least this part of them does not exceed; 0 if there are none.
func percentile(sorted []time.Duration, part float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(part * float64(len(sorted))))
	return float64(sorted[max(rank, 1)-1]) / float64(time.Millisecond)
}
