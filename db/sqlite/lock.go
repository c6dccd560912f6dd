package sqlite

import (
	"context"
	"fmt"

	"github.com/gofrs/flock"
)

// Serve needs to do nothing: the lock cannot be lost.
func (*DB) Serve(context.Context, func()) error { return nil }

// Lock reserves the database at path for one serving process: a second one would
// treat the deliveries that the first has in flight as lost and send them again.
// Commands that only change something need no lock. The lock ends with the
// process, however it ends; the file beside the database stays.
func Lock(path string) (release func() error, err error) {
	lock := flock.New(path + ".lock")
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock database %s: %w", path, err)
	}
	if !held {
		return nil, fmt.Errorf("database %s is in use by another Bookhook; stop that one first", path)
	}
	return lock.Close, nil
}
