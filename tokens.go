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

// tokenCommands are the commands about tokens for the JSON API.
type tokenCommands struct {
	Add    tokenAdd    `cmd:"" help:"Create a token for the JSON API and print it, once."`
	List   tokenList   `cmd:"" help:"List the tokens of an account and when they were last used."`
	Revoke tokenRevoke `cmd:"" help:"Revoke a token; a running Bookhook refuses it within a second."`
}

type tokenAdd struct {
	Account accountNumber `required:"" placeholder:"N" help:"The number of the account that the token is for."`
	Name    displayName   `arg:"" help:"What the token is for, such as the booking system's name."`
}

// Run prints the new token.
func (c tokenAdd) Run(ctx context.Context, std streams, at database) error {
	return withAccount(ctx, at, c.Account, func(store *db.Store, account webhook.Account) error {
		text, hash := auth.NewToken()
		token := webhook.Token{Account: account.ID, Name: string(c.Name)}
		if _, err := store.AddToken(ctx, token, hash, change()); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "A token for %s; it is shown only now:\n", describe(account))
		fmt.Fprintln(std.out, text)
		return nil
	})
}

type tokenList struct {
	listFlags
	Account accountNumber `required:"" placeholder:"N" help:"The number of the account."`
}

// listedToken is a token in the JSON of "token list".
type listedToken struct {
	ID         webhook.TokenID `json:"id"`
	Name       string          `json:"name"`
	CreatedAt  time.Time       `json:"created_at"`
	LastUsedAt *time.Time      `json:"last_used_at"` // to the hour; null if never
}

// Run lists the tokens in the order in which they were created.
func (c tokenList) Run(ctx context.Context, std streams, at database) error {
	return withAccount(ctx, at, c.Account, func(store *db.Store, account webhook.Account) error {
		tokens, err := store.Tokens(ctx, account.ID)
		if err != nil {
			return err
		}
		var listed []listedToken
		for _, t := range tokens {
			listed = append(listed, listedToken{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt, LastUsedAt: optionalTime(t.UsedAt)})
		}
		columns := []string{"ID", "NAME", "CREATED", "LAST USED"}
		return printList(c.listFlags, std.out, listed, columns, func(t listedToken) []string {
			return []string{t.ID.String(), t.Name, showTime(&t.CreatedAt), showTime(t.LastUsedAt)}
		})
	})
}

type tokenRevoke struct {
	Account accountNumber   `required:"" placeholder:"N" help:"The number of the account."`
	ID      webhook.TokenID `arg:"" name:"token_id" help:"The token's id, as token list shows it."`
}

// Run revokes the token.
func (c tokenRevoke) Run(ctx context.Context, std streams, at database) error {
	return withAccount(ctx, at, c.Account, func(store *db.Store, account webhook.Account) error {
		err := store.RevokeToken(ctx, account.ID, c.ID, change())
		if errors.Is(err, webhook.ErrNotFound) {
			return fmt.Errorf("%s has no token %s", describe(account), c.ID)
		}
		if err == nil {
			fmt.Fprintf(std.err, "Revoked the token %s of %s.\n", c.ID, describe(account))
		}
		return err
	})
}
