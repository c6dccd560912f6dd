package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

// accountCommands are the commands about accounts.
type accountCommands struct {
	Add   accountAdd   `cmd:"" help:"Add an account and print its number."`
	Limit accountLimit `cmd:"" help:"Set how many asynchronous webhooks an account may have."`
	List  accountList  `cmd:"" help:"List the accounts with their numbers, limits and users."`
}

type accountAdd struct {
	Name   displayName   `arg:"" help:"The tour operator's name."`
	Number accountNumber `placeholder:"N" help:"The account's number, such as the one that its booking system uses. Default: the next free one."`
}

// Run prints the number of the new account.
func (c accountAdd) Run(ctx context.Context, std streams, at database) error {
	return withStore(ctx, at, func(store *db.Store) error {
		account, err := store.AddAccount(ctx, webhook.Account{
			Number: int64(c.Number), Name: string(c.Name), TimeZone: "UTC", WebhookLimit: webhook.DefaultLimit,
		}, change())
		if err == nil {
			fmt.Fprintln(std.out, account.Number)
		}
		return err
	})
}

type accountLimit struct {
	Account accountNumber `arg:"" help:"The account's number."`
	Limit   number        `arg:"" name:"n" min:"0" max:"1000" help:"How many asynchronous webhooks it may have."`
}

// Run raises or lowers the limit.
func (c accountLimit) Run(ctx context.Context, std streams, at database) error {
	return withAccount(ctx, at, c.Account, func(store *db.Store, account webhook.Account) error {
		if err := store.SetLimit(ctx, account.ID, int(c.Limit), change()); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "%s may have %d asynchronous webhooks.\n", describe(account), c.Limit)
		return nil
	})
}

type accountList struct{ listFlags }

// listedAccount is an account in the JSON of "account list".
type listedAccount struct {
	Number       int64     `json:"number"`
	Name         string    `json:"name"`
	TimeZone     string    `json:"time_zone"`
	Webhooks     int       `json:"webhooks"` // asynchronous ones, those that are off included
	WebhookLimit int       `json:"webhook_limit"`
	Users        int       `json:"users"`
	CreatedAt    time.Time `json:"created_at"`
}

// Run lists the accounts of the instance by number.
func (c accountList) Run(ctx context.Context, std streams, at database) error {
	return withStore(ctx, at, func(store *db.Store) error {
		accounts, err := store.Accounts(ctx)
		if err != nil {
			return err
		}
		var listed []listedAccount
		for _, a := range accounts {
			listed = append(listed, listedAccount{
				Number: a.Number, Name: a.Name, TimeZone: a.TimeZone, Webhooks: a.Webhooks, WebhookLimit: a.WebhookLimit,
				Users: a.Users, CreatedAt: a.CreatedAt,
			})
		}
		columns := []string{"NUMBER", "NAME", "TIME ZONE", "WEBHOOKS", "LIMIT", "USERS", "CREATED"}
		return printList(c.listFlags, std.out, listed, columns, func(a listedAccount) []string {
			return []string{
				strconv.FormatInt(a.Number, 10), a.Name, a.TimeZone, strconv.Itoa(a.Webhooks), strconv.Itoa(a.WebhookLimit),
				strconv.Itoa(a.Users), showTime(&a.CreatedAt),
			}
		})
	})
}
