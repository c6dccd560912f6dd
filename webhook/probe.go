package webhook

// Probe is the result of checking a URL without sending it a booking.
type Probe struct {
	Level   ProbeLevel
	Message Message // for the person who typed the URL
}

// ProbeLevel is how serious the result is.
type ProbeLevel string

// The levels.
const (
	ProbeOK   ProbeLevel = "ok"   // it answers
	ProbeWarn ProbeLevel = "warn" // it can be saved, but should be checked
	ProbeBad  ProbeLevel = "bad"  // it cannot be called
)
