package lookup

import (
	"slices"
	"time"

	"bookhook/webhook"
)

// Bounds of the responses that are kept.
const (
	cacheTime     = time.Minute
	maxCacheBytes = 32 << 20
	entryBytes    = 1 << 10 // of an entry besides its body
)

// reuseWindow is how long after a request an event may be accepted and still be
// matched by its response. An event reports a change that was made before it, so
// a response that was requested later shows that change; one that was requested
// before may not. But events within a few seconds (confirmed, then paid) usually
// report one change, and one request is enough.
const reuseWindow = 5 * time.Second

// covers reports whether the response shows the change that the event reports.
func (r response) covers(e webhook.Event) bool {
	return !r.requestedAt.IsZero() && !e.ReceivedAt.After(r.requestedAt.Add(reuseWindow))
}

// responseCache keeps the last response about a booking, for events of it that
// still wait or arrive within the window. It evicts the oldest first.
type responseCache struct {
	entries map[bookingKey]response
	order   []bookingKey // by the time of the request, roughly
	bytes   int
}

func (c *responseCache) get(key bookingKey) response { return c.entries[key] }

func (c *responseCache) put(key bookingKey, r response) {
	if _, known := c.entries[key]; known {
		c.remove(slices.Index(c.order, key))
	}
	if c.entries == nil {
		c.entries = map[bookingKey]response{}
	}
	c.entries[key] = r
	c.order = append(c.order, key)
	c.bytes += entryBytes + len(r.body)
	for c.bytes > maxCacheBytes {
		c.remove(0)
	}
}

// expire removes what is too old, and returns when the next entry will be; zero
// while the cache is empty.
func (c *responseCache) expire(now time.Time) (next time.Time) {
	for len(c.order) > 0 {
		if next = c.entries[c.order[0]].requestedAt.Add(cacheTime); next.After(now) {
			return next
		}
		c.remove(0)
	}
	return time.Time{}
}

func (c *responseCache) remove(i int) {
	key := c.order[i]
	c.order = slices.Delete(c.order, i, i+1)
	c.bytes -= entryBytes + len(c.entries[key].body)
	delete(c.entries, key)
}
