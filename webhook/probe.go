package webhook

// Probe is what checking a URL found, without sending it a booking.
type Probe struct {
	Level   ProbeLevel
	Message Message // for the person who typed the URL
}

// ProbeLevel says how it looks.
type ProbeLevel string

// The levels.
const (
	ProbeOK   ProbeLevel = "ok"   // it answers
	ProbeWarn ProbeLevel = "warn" // it can be saved, but should be checked
	ProbeBad  ProbeLevel = "bad"  // it cannot be called
)
