package xpath

import "errors"

// Errors of evaluating, beside those that say what is wrong with an expression.
var (
	// ErrEffort says that the effort is spent.
	ErrEffort = errors.New("the expression is too costly")
	// ErrUnsupported says that the expression uses what is missing here.
	ErrUnsupported = errors.New("the namespace axis and id() are not supported")
)

// Effort is what evaluating may still cost.
type Effort struct{ left int }

// NewEffort returns an effort of n units.
func NewEffort(n int) *Effort { return &Effort{n} }

// Spend takes n units, and reports whether there were as many.
func (f *Effort) Spend(n int) bool {
	f.left -= n
	return f.left >= 0
}

// SpendText takes what handling so many bytes costs.
func (f *Effort) SpendText(bytes int) bool { return f.Spend(1 + bytes/8) }
