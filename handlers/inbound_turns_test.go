package handlers_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"bookhook/platforms"
)

// TestReadOneAfterTheOther: however many requests of an account take long to read,
// one is read at a time, and none of another account waits for it.
func TestReadOneAfterTheOther(t *testing.T) {
	t.Parallel()
	var slow, most atomic.Int32
	entered, release := make(chan struct{}, 100), make(chan struct{})
	s := newHarbour(t, func(p *platforms.Platform) {
		read := p.Read
		p.Read = func(in platforms.Inbound) (platforms.Reading, error) {
			if strings.HasPrefix(in.Query, "slow") {
				most.Store(max(most.Load(), slow.Add(1)))
				defer slow.Add(-1)
				entered <- struct{}{}
				<-release
			}
			return read(in)
		}
	})
	c := s.connect("harbour")
	others, err := s.store.SwitchPlatform(s.Context(), s.other.ID, "harbour", true, change())
	s.check(err)
	var sent sync.WaitGroup
	for range 5 {
		sent.Go(func() { s.send("POST", c.Path()+"?slow", bookedBerth).taken() })
	}
	<-entered
	s.send("POST", others.Path(), bookedBerth).taken()
	close(release)
	sent.Wait()
	if most.Load() != 1 {
		t.Errorf("got %d read at once, want 1", most.Load())
	}
	s.send("POST", c.Path()+"?slow", "{").refused(http.StatusBadRequest) // a failure ends the turn as well
	s.send("POST", c.Path()+"?slow", bookedBerth).taken()
}
