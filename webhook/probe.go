package webhook

// Probe is what a look at a URL found, without sending it a booking.
type Probe struct {
	Level   ProbeLevel
	Message string // one or two sentences for the person who typed the URL
}

// ProbeLevel says how it looks.
type ProbeLevel string

// The levels.
const (
	ProbeOK   ProbeLevel = "ok"   // it answers
	ProbeWarn ProbeLevel = "warn" // it can be saved, but look at it
	ProbeBad  ProbeLevel = "bad"  // it cannot be called
)
