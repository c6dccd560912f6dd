package live

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"bookhook/webhook"
)

// counter is a store whose accounts all change when its number does.
type counter struct {
	number, looks atomic.Int64
	broken        atomic.Bool
}

func (c *counter) Changes(context.Context, webhook.AccountID) (string, error) {
	c.looks.Add(1)
	if c.broken.Load() {
		return "", errors.New("broken")
	}
	return strconv.FormatInt(c.number.Load(), 10), nil
}

func always(context.Context) (bool, error) { return true, nil }

func follow(t *testing.T, h *Hub, id webhook.AccountID) *Follower {
	t.Helper()
	f, ok := h.Follow(id, always)
	if !ok {
		t.Fatal("refused")
	}
	return f
}

func (f *Follower) hears(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	select {
	case got := <-f.Changes():
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	default:
		if want != "" {
			t.Errorf("heard nothing, want %q", want)
		}
	}
}

// TestFollow: one look a second serves all followers of an account, who hear of a change
// once, and the newest one if they were busy; nobody looks when nobody follows.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{}
		h := NewHub(c)
		one, two := follow(t, h, 1), follow(t, h, 1)
		one.hears(t, "0")
		two.hears(t, "0")
		before := c.looks.Load()
		time.Sleep(10 * time.Second)
		one.hears(t, "")
		if n := c.looks.Load() - before; n != 10 {
			t.Errorf("%d looks in ten seconds, want 10", n)
		}
		c.number.Add(1)
		time.Sleep(pause)
		one.hears(t, "1")
		c.number.Add(1)
		time.Sleep(pause)
		synctest.Wait() // the look at this moment
		c.broken.Store(true)
		time.Sleep(time.Minute)
		c.broken.Store(false)
		one.hears(t, "2")
		two.hears(t, "2")
		follow(t, h, 2).Close()
		one.Close()
		one.Close()
		two.Close()
		synctest.Wait() // a look may be under way
		before = c.looks.Load()
		time.Sleep(time.Minute)
		if n := c.looks.Load() - before; n != 0 || len(h.accounts) != 0 || h.all != 0 {
			t.Errorf("%d looks for nobody, %d accounts, %d followers", n, len(h.accounts), h.all)
		}
	})
}

// TestMayStay: who may no longer follow is told within a second; not knowing is no
// reason.
func TestMayStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(&counter{})
		var stays, unknown atomic.Bool
		unknown.Store(true)
		f, _ := h.Follow(1, func(context.Context) (bool, error) {
			if unknown.Load() {
				return false, errors.New("unknown")
			}
			return stays.Load(), nil
		})
		defer f.Close()
		other := follow(t, h, 1)
		defer other.Close()
		time.Sleep(time.Minute)
		select {
		case <-f.Ended():
			t.Fatal("it ended")
		default:
		}
		unknown.Store(false)
		<-f.Ended() // or the test is deadlocked
		select {
		case <-other.Ended():
			t.Error("the other one ended, too")
		default:
		}
	})
}

// TestBounds: no account takes more than its share, however many there are.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(&counter{})
		var all []*Follower
		for id := webhook.AccountID(1); id <= 100; id++ {
			n := 0
			for {
				f, ok := h.Follow(id, always)
				if !ok {
					break
				}
				all = append(all, f)
				n++
			}
			if n > maxAccountFollowers || id == 1 && n != maxAccountFollowers {
				t.Errorf("account %d got %d", id, n)
			}
		}
		if len(all) > maxFollowers || len(all) < maxFollowers*9/10 {
			t.Errorf("got %d of all, want at most and nearly %d", len(all), maxFollowers)
		}
		for _, f := range all {
			f.Close()
		}
		follow(t, h, 101).Close()
	})
}
