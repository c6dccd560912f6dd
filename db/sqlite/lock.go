package sqlite

import (
	"context"
	"fmt"

	"github.com/gofrs/flock"

	"bookhook/db/group"
	"bookhook/webhook"
)

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

// Held returns all shards: no other process serves the file.
func (*DB) Held() webhook.ShardSet { return webhook.AllShards }

// Lease returns all shards for ever.
func (*DB) Lease(context.Context, webhook.LeaseRequest) (lease webhook.Lease, err error) {
	for shard := range lease.Epochs {
		lease.Epochs[shard] = 1
	}
	return lease, nil
}

// Announce has nothing to say: this process holds all accounts, and any other begins a new
// round whatever this one writes.
func (*DB) Announce([]webhook.Touched, bool) []*group.Statement { return nil }

// Listen does nothing.
func (*DB) Listen(context.Context, func([]webhook.Touched)) {}

// Replicas returns none.
func (*DB) Replicas(context.Context) ([]webhook.Replica, error) { return nil, nil }
