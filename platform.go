package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bookhook/db"
	"bookhook/platforms"
	"bookhook/webhook"
)

// changePlatform changes an account's use of a booking platform, and prints the
// path of the address to which the platform sends.
type changePlatform struct {
	database string
	account  int64
	platform string // its key
	change   platformChange
}

type platformChange int

const (
	platformOn platformChange = iota
	platformOff
	platformRotate
)

func (c changePlatform) run(ctx context.Context, std streams) error {
	return withStore(ctx, c.database, func(store *db.Store) error {
		account, err := findAccount(ctx, store, c.account, c.database)
		if err != nil {
			return err
		}
		p, _ := platforms.All().Get(c.platform)
		who := fmt.Sprintf("%s (account %d)", account.Name, account.Number)
		connection, err := c.make(ctx, store, account.ID)
		if errors.Is(err, webhook.ErrNotFound) {
			return fmt.Errorf("%s has never used %s; switch it on first: bookhook platform on --account %d %s", who, p.Name, account.Number, p.Key)
		}
		if err != nil {
			return err
		}
		c.tell(std, who, p.Name, connection)
		return nil
	})
}

func (c changePlatform) make(ctx context.Context, store *db.Store, account webhook.ID) (webhook.Connection, error) {
	if c.change == platformRotate {
		return store.RotateAddress(ctx, account, c.platform, actor, time.Now())
	}
	return store.SwitchPlatform(ctx, account, c.platform, c.change == platformOn, actor, time.Now())
}

func (c changePlatform) tell(std streams, who, platform string, connection webhook.Connection) {
	switch c.change {
	case platformOff:
		fmt.Fprintf(std.err, "%s is off for %s. What it still sends is kept, and no webhook is told of it.\n", platform, who)
		return
	case platformOn:
		fmt.Fprintf(std.err, "%s is on for %s. Give it this path at Bookhook's address, and nobody else:\n", platform, who)
	case platformRotate:
		fmt.Fprintf(std.err, "%s has a new address for %s. The one before it is good until %s, an older one no longer.\n",
			platform, who, connection.OldUntil.Format(time.RFC3339))
	}
	fmt.Fprintln(std.out, connection.Path())
}
