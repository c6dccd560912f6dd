package dispatch

import (
	"context"
	"time"
)

// wakeReread makes rereadUnknown read once more what is due.
func (d *Dispatcher) wakeReread() {
	select {
	case d.unknown <- struct{}{}:
	default: // it will
	}
}

// rereadUnknown reads what is due, as at the start, whenever a write has ended of which
// nobody knows whether it was stored: it may have stored or released deliveries, or events
// that wait for a lookup. Who made it releases what it claimed for the queue; see
// releaseUnknown. So it reads when an announcement of another replica may have been missed.
func (d *Dispatcher) rereadUnknown(ctx context.Context) {
	for {
		select {
		case <-d.unknown:
		case <-ctx.Done():
			return
		}
		if d.storeFailed("read what is due", d.reread(ctx)) {
			select {
			case <-time.After(storePause):
				d.wakeReread()
			case <-ctx.Done():
			}
		}
	}
}

func (d *Dispatcher) reread(ctx context.Context) error {
	held, _ := d.lanes.held()
	due, err := d.store.Due(ctx, held)
	if err != nil {
		return err
	}
	d.lanes.reread(due)
	d.lookups.Wake()
	return nil
}
