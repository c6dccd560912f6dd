package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/webhook"
)

// clientCommands are the commands about clients of the Prioticket-compatible
// API.
type clientCommands struct {
	Add    clientAdd    `cmd:"" help:"Create a client and print its client_id and client_secret, once."`
	List   clientList   `cmd:"" help:"List the clients of an account and when they were last used."`
	Revoke clientRevoke `cmd:"" help:"Revoke a client and its access tokens."`
}

type clientAdd struct {
	Account accountNumber `required:"" placeholder:"N" help:"The number of the account whose webhooks the client manages."`
	Name    displayName   `arg:"" help:"What the client is, such as the reseller's name."`
}

// Run prints the id and the secret of the new client as lines of an environment
// file.
func (c clientAdd) Run(ctx context.Context, std streams, at database) error {
	return withAccount(ctx, at, c.Account, func(store *db.Store, account webhook.Account) error {
		secret, hash := auth.NewClientSecret()
		client, err := store.AddClient(ctx, webhook.Client{Account: account.ID, Name: string(c.Name)}, hash, change())
		if err != nil {
			return err
		}
		fmt.Fprintf(std.err, "A client for %s; the secret is shown only now:\n", describe(account))
		fmt.Fprintf(std.out, "client_id=%s\nclient_secret=%s\n", client.ID, secret)
		return nil
	})
}

type clientList struct {
	listFlags
	Account accountNumber `required:"" placeholder:"N" help:"The number of the account."`
}

// listedClient is a client in the JSON of "client list".
type listedClient struct {
	ID         webhook.ClientID `json:"client_id"`
	Name       string           `json:"name"`
	CreatedAt  time.Time        `json:"created_at"`
	LastUsedAt *time.Time       `json:"last_used_at"` // when it last got an access token; null if never
}

// Run lists the clients in the order in which they were created.
func (c clientList) Run(ctx context.Context, std streams, at database) error {
	return withAccount(ctx, at, c.Account, func(store *db.Store, account webhook.Account) error {
		clients, err := store.Clients(ctx, account.ID)
		if err != nil {
			return err
		}
		var listed []listedClient
		for _, k := range clients {
			listed = append(listed, listedClient{ID: k.ID, Name: k.Name, CreatedAt: k.CreatedAt, LastUsedAt: optionalTime(k.UsedAt)})
		}
		columns := []string{"CLIENT ID", "NAME", "CREATED", "LAST USED"}
		return printList(c.listFlags, std.out, listed, columns, func(k listedClient) []string {
			return []string{k.ID.String(), k.Name, showTime(&k.CreatedAt), showTime(k.LastUsedAt)}
		})
	})
}

type clientRevoke struct {
	Account accountNumber    `required:"" placeholder:"N" help:"The number of the account."`
	ID      webhook.ClientID `arg:"" name:"client_id" help:"The client's id, as client list shows it."`
}

// Run revokes the client.
func (c clientRevoke) Run(ctx context.Context, std streams, at database) error {
	return withAccount(ctx, at, c.Account, func(store *db.Store, account webhook.Account) error {
		err := store.RevokeClient(ctx, account.ID, c.ID, change())
		if errors.Is(err, webhook.ErrNotFound) {
			return fmt.Errorf("%s has no client %s", describe(account), c.ID)
		}
		if err == nil {
			fmt.Fprintf(std.err, "Revoked the client %s of %s.\n", c.ID, describe(account))
		}
		return err
	})
}
