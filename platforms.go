package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bookhook/db"
	"bookhook/platforms/all"
	"bookhook/webhook"
)

// platformCommands are the commands about the booking platforms of an account.
type platformCommands struct {
	On     platformOn     `cmd:"" help:"Switch a platform on and print the path of the address to which it sends."`
	Off    platformOff    `cmd:"" help:"Switch a platform off; events that it still sends are kept, and no webhook receives them."`
	Rotate platformRotate `cmd:"" help:"Create a new address and print its path; the previous one is valid for another 7 days."`
}

// platformArgs name a platform of an account.
type platformArgs struct {
	Account  accountNumber `required:"" placeholder:"N" help:"The number of the account."`
	Platform platformKey   `arg:"" help:"The platform: ${platforms}."`
}

type platformOn struct{ platformArgs }

// Run prints the path of the address.
func (c platformOn) Run(ctx context.Context, std streams, at database) error {
	connection, names, err := c.change(ctx, at, func(store *db.Store, account webhook.AccountID) (webhook.Connection, error) {
		return store.SwitchPlatform(ctx, account, string(c.Platform), true, change())
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "%s is on for %s. Give it this path at Bookhook's address, and nobody else:\n", names.platform, names.account)
	fmt.Fprintln(std.out, connection.Path())
	return nil
}

type platformOff struct{ platformArgs }

// Run switches the platform off.
func (c platformOff) Run(ctx context.Context, std streams, at database) error {
	_, names, err := c.change(ctx, at, func(store *db.Store, account webhook.AccountID) (webhook.Connection, error) {
		return store.SwitchPlatform(ctx, account, string(c.Platform), false, change())
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "%s is off for %s. What it still sends is kept, and no webhook receives it.\n", names.platform, names.account)
	return nil
}

type platformRotate struct{ platformArgs }

// Run prints the path of the new address.
func (c platformRotate) Run(ctx context.Context, std streams, at database) error {
	connection, names, err := c.change(ctx, at, func(store *db.Store, account webhook.AccountID) (webhook.Connection, error) {
		current, err := store.Connection(ctx, account, string(c.Platform))
		if err != nil {
			return current, err
		}
		return store.RotateAddress(ctx, account, string(c.Platform), current.Token, change())
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "%s has a new address for %s. The previous one is valid until %s, older ones no longer.\n",
		names.platform, names.account, connection.OldUntil.Format(time.RFC3339))
	fmt.Fprintln(std.out, connection.Path())
	return nil
}

// platformNames are the names in the messages about a change.
type platformNames struct{ platform, account string }

// change makes a change to the account's connection to the platform.
func (p platformArgs) change(
	ctx context.Context, at database, do func(store *db.Store, account webhook.AccountID) (webhook.Connection, error),
) (connection webhook.Connection, names platformNames, err error) {
	err = withAccount(ctx, at, p.Account, func(store *db.Store, account webhook.Account) error {
		platform, _ := all.Platforms().Get(string(p.Platform))
		names = platformNames{platform: platform.Name, account: describe(account)}
		connection, err = do(store, account.ID)
		if errors.Is(err, webhook.ErrNotFound) {
			return fmt.Errorf("%s has never used %s; switch it on first: bookhook platform on --account %d %s",
				names.account, names.platform, p.Account, p.Platform)
		}
		return err
	})
	return connection, names, err
}
