package e2e

import (
	"math/rand/v2"
	"sync"
	"time"
)

// dice are the random choices of one round. What the machine makes of them differs from run to run; the choices do not.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newDice(seed uint64) *dice { return &dice{rng: rand.New(rand.NewPCG(seed, 11))} }

// n is a random number below n.
func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

// millis is a random duration from and to these milliseconds.
func (d *dice) millis(from, to int) time.Duration {
	return time.Duration(from+d.n(to-from)) * time.Millisecond
}

// bell tells that something has just happened, so that the end can come in the middle of it.
type bell struct {
	mu      sync.Mutex
	awaited map[string]chan struct{}
}

// What rings the bell.
const (
	aGoodOne   = "the receiver that is well has a delivery and has not answered it"
	anAnswer   = "an answer of the API has arrived"
	aDelivery  = "a receiver has a delivery and has not answered it"
	aLookup    = "TourCMS is asked for a booking and has not answered"
	aQuestion  = "a receiver is asked and has not answered"
	atAnyPoint = ""
)

// ring lets go of whoever waits for this.
func (b *bell) ring(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if rung := b.awaited[what]; rung != nil {
		close(rung)
		delete(b.awaited, what)
	}
}

// wait returns at the next ring for this, or when it does not come, and reports which.
func (b *bell) wait(what string) (rang bool) {
	if what == atAnyPoint {
		return false
	}
	rung := make(chan struct{})
	b.mu.Lock()
	b.awaited = map[string]chan struct{}{what: rung}
	b.mu.Unlock()
	select {
	case <-rung:
		return true
	case <-time.After(500 * time.Millisecond):
		return false
	}
}
