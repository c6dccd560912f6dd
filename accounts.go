package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"bookhook/db"
	"bookhook/handlers"
	"bookhook/webhook"
)

// actor is who did it, in the account's activity.
const actor = "command line"

// withStore opens the database for one command. A running Bookhook may have it
// open too.
func withStore(ctx context.Context, path string, do func(store *db.Store) error) error {
	store, err := db.Create(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(do(store), store.Close())
}

// findAccount finds an account by its number; 0 is none.
func findAccount(ctx context.Context, store *db.Store, number int64, database string) (webhook.Account, error) {
	if number == 0 {
		return webhook.Account{}, nil
	}
	account, err := store.AccountByNumber(ctx, number)
	if errors.Is(err, webhook.ErrNotFound) {
		err = fmt.Errorf("there is no account %d in %s", number, database)
	}
	return account, err
}

// addAccount prints the number of the new account.
type addAccount struct {
	database string
	name     string
	number   int64 // 0: the next free one
}

func (c addAccount) run(ctx context.Context, std streams) error {
	return withStore(ctx, c.database, func(store *db.Store) error {
		account, err := store.AddAccount(ctx, webhook.Account{
			Number: c.number, Name: c.name, TimeZone: "UTC", WebhookLimit: webhook.DefaultLimit, CreatedAt: time.Now(),
		}, actor)
		if err == nil {
			fmt.Fprintln(std.out, account.Number)
		}
		return err
	})
}

// setLimit raises or lowers how many asynchronous webhooks an account may have.
type setLimit struct {
	database string
	account  int64
	limit    int
}

func (c setLimit) run(ctx context.Context, std streams) error {
	return withStore(ctx, c.database, func(store *db.Store) error {
		account, err := findAccount(ctx, store, c.account, c.database)
		if err != nil {
			return err
		}
		if err := store.SetLimit(ctx, account.ID, c.limit, actor, time.Now()); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "%s (account %d) may have %d asynchronous webhooks.\n", account.Name, account.Number, c.limit)
		return nil
	})
}

// addUser takes the password from standard input, or makes one and prints it.
type addUser struct {
	database string
	email    string
	role     webhook.Role
	account  int64 // 0: none
}

func (c addUser) run(ctx context.Context, std streams) error {
	return withPassword(std, c.email, func(hash string) error { return c.add(ctx, hash) })
}

// withPassword does something with the hash of a password that was given, or
// else is made and printed once it is done.
func withPassword(std streams, email string, do func(hash string) error) error {
	password, err := readPassword(std.in)
	if err != nil {
		return err
	}
	given := password != ""
	if !given {
		password = handlers.NewPassword()
	}
	hash, err := handlers.HashPassword(password)
	if err != nil {
		return fmt.Errorf("hash the password: %w", err)
	}
	if err := do(hash); err != nil {
		return err
	}
	if given {
		fmt.Fprintf(std.err, "%s can sign in with the password you gave.\n", email)
		return nil
	}
	fmt.Fprintf(std.err, "%s can sign in with this password; it is shown only now:\n", email)
	fmt.Fprintln(std.out, password)
	return nil
}

func (c addUser) add(ctx context.Context, hash string) error {
	return withStore(ctx, c.database, func(store *db.Store) error {
		account, err := findAccount(ctx, store, c.account, c.database)
		if err != nil {
			return err
		}
		_, err = store.AddUser(ctx, webhook.User{
			Account: account.ID, Email: c.email, PasswordHash: hash, Role: c.role, CreatedAt: time.Now(),
		}, actor)
		return err
	})
}

// setPassword is for whoever forgot theirs; it ends their sessions.
type setPassword struct {
	database string
	email    string
}

func (c setPassword) run(ctx context.Context, std streams) error {
	return withPassword(std, c.email, func(hash string) error { return c.set(ctx, hash) })
}

func (c setPassword) set(ctx context.Context, hash string) error {
	return withStore(ctx, c.database, func(store *db.Store) error {
		user, err := store.UserByEmail(ctx, c.email)
		if errors.Is(err, webhook.ErrNotFound) {
			return fmt.Errorf("nobody signs in with %s in %s", c.email, c.database)
		}
		if err != nil {
			return err
		}
		return store.SetPassword(ctx, user.ID, hash, nil, actor, time.Now())
	})
}

// readPassword reads the first line of standard input when something is piped
// there; "" when nothing is.
func readPassword(in io.Reader) (string, error) {
	if file, ok := in.(*os.File); ok {
		if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice != 0 {
			return "", nil // a terminal, or nothing at all
		}
	}
	line, err := bufio.NewReader(io.LimitReader(in, 1<<16)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return "", nil
	}
	if problem := handlers.CheckPassword(password); problem != "" {
		return "", usageError("the password: " + problem)
	}
	return password, nil
}

// addToken prints the new token.
type addToken struct {
	database string
	account  int64
	name     string
}

func (c addToken) run(ctx context.Context, std streams) error {
	return withStore(ctx, c.database, func(store *db.Store) error {
		account, err := findAccount(ctx, store, c.account, c.database)
		if err != nil {
			return err
		}
		text, hash := handlers.NewToken()
		if _, err := store.AddToken(ctx, webhook.Token{Account: account.ID, Name: c.name, CreatedAt: time.Now()}, hash, actor); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "A token for %s (account %d); it is shown only now:\n", account.Name, account.Number)
		fmt.Fprintln(std.out, text)
		return nil
	})
}

// addClient prints the id and the secret of the new client, as a file of
// variables has them.
type addClient struct {
	database string
	account  int64
	name     string
}

func (c addClient) run(ctx context.Context, std streams) error {
	return withStore(ctx, c.database, func(store *db.Store) error {
		account, err := findAccount(ctx, store, c.account, c.database)
		if err != nil {
			return err
		}
		secret, hash := handlers.NewClientSecret()
		client, err := store.AddClient(ctx, webhook.Client{Account: account.ID, Name: c.name, CreatedAt: time.Now()}, hash, actor)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.err, "A client for %s (account %d); the secret is shown only now:\n", account.Name, account.Number)
		fmt.Fprintf(std.out, "client_id=%s\nclient_secret=%s\n", client.Ref(), secret)
		return nil
	})
}
