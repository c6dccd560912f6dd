package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/messages"
	"bookhook/webhook"
)

// userCommands are the commands about people who sign in.
type userCommands struct {
	Add      userAdd      `cmd:"" help:"Add somebody who signs in. The password is read from standard input, or generated and printed."`
	Password userPassword `cmd:"" help:"Give somebody a new password, read or generated as by add, and sign them out everywhere."`
	List     userList     `cmd:"" help:"List the users of the instance or of one account."`
	Remove   userRemove   `cmd:"" help:"Remove somebody and sign them out everywhere."`
}

type userAdd struct {
	Email   emailAddress  `required:"" placeholder:"E-MAIL" help:"The address to sign in with."`
	Role    userRole      `required:"" placeholder:"ROLE" help:"admin (of all accounts), operator (everything in one account) or staff (see, test and replay)."`
	Account accountNumber `placeholder:"N" help:"The number of the account; only an admin can be without one."`
}

// Validate wants an account for everybody but admins.
func (c userAdd) Validate() error {
	role := webhook.Role(c.Role)
	if c.Account == 0 && (role == webhook.RoleOperator || role == webhook.RoleStaff) {
		return problem{"--account", "give the number of the account; only an admin can be without one"}
	}
	return nil
}

// Run adds the user.
func (c userAdd) Run(ctx context.Context, std streams, at database) error {
	return withPassword(std, c.Email, func(hash string) error {
		return withStore(ctx, at, func(store *db.Store) error {
			user := webhook.User{Email: string(c.Email), PasswordHash: hash, Role: webhook.Role(c.Role)}
			if c.Account != 0 {
				account, err := findAccount(ctx, store, c.Account, at)
				if err != nil {
					return err
				}
				user.Account = account.ID
			}
			_, err := store.AddUser(ctx, user, change())
			return err
		})
	})
}

type userPassword struct {
	Email emailAddress `required:"" placeholder:"E-MAIL" help:"The address they sign in with."`
}

// Run sets the password and ends the user's sessions.
func (c userPassword) Run(ctx context.Context, std streams, at database) error {
	return withPassword(std, c.Email, func(hash string) error {
		return withUser(ctx, at, c.Email, func(store *db.Store, user webhook.User) error {
			return store.SetPassword(ctx, user.ID, hash, nil, change())
		})
	})
}

type userRemove struct {
	Email emailAddress `required:"" placeholder:"E-MAIL" help:"The address they sign in with."`
}

// Run removes the user.
func (c userRemove) Run(ctx context.Context, std streams, at database) error {
	return withUser(ctx, at, c.Email, func(store *db.Store, user webhook.User) error {
		if err := store.RemoveUser(ctx, user.Account, user.ID, change()); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "%s can no longer sign in.\n", c.Email)
		return nil
	})
}

type userList struct {
	listFlags
	Account accountNumber `placeholder:"N" help:"The number of the account. Default: all users of the instance."`
}

// listedUser is a user in the JSON of "user list".
type listedUser struct {
	Email     string       `json:"email"`
	Role      webhook.Role `json:"role"`
	Account   *int64       `json:"account"` // its number; null for an admin without one
	CreatedAt time.Time    `json:"created_at"`
}

// Run lists users in the order in which they were added.
func (c userList) Run(ctx context.Context, std streams, at database) error {
	return withStore(ctx, at, func(store *db.Store) error {
		users, err := c.users(ctx, store, at)
		if err != nil {
			return err
		}
		columns := []string{"E-MAIL", "ROLE", "ACCOUNT", "CREATED"}
		return printList(c.listFlags, std.out, users, columns, func(u listedUser) []string {
			account := "-"
			if u.Account != nil {
				account = strconv.FormatInt(*u.Account, 10)
			}
			return []string{u.Email, string(u.Role), account, showTime(&u.CreatedAt)}
		})
	})
}

func (c userList) users(ctx context.Context, store *db.Store, at database) ([]listedUser, error) {
	if c.Account != 0 {
		if _, err := findAccount(ctx, store, c.Account, at); err != nil {
			return nil, err
		}
	}
	accounts, err := store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	numbers := map[webhook.AccountID]*int64{}
	for _, a := range accounts {
		numbers[a.ID] = &a.Number
	}
	users, err := store.AllUsers(ctx)
	if err != nil {
		return nil, err
	}
	var listed []listedUser
	for _, u := range users {
		listed = append(listed, listedUser{Email: u.Email, Role: u.Role, Account: numbers[u.Account], CreatedAt: u.CreatedAt})
	}
	return slices.DeleteFunc(listed, func(u listedUser) bool {
		return c.Account != 0 && (u.Account == nil || *u.Account != int64(c.Account))
	}), nil
}

// withUser opens the database for a command about one user.
func withUser(ctx context.Context, at database, email emailAddress, do func(store *db.Store, user webhook.User) error) error {
	return withStore(ctx, at, func(store *db.Store) error {
		user, err := store.UserByEmail(ctx, string(email))
		if errors.Is(err, webhook.ErrNotFound) {
			return fmt.Errorf("nobody signs in with %s in %s", email, at)
		}
		if err != nil {
			return err
		}
		return do(store, user)
	})
}

// withPassword calls do with the hash of the password on standard input. If
// there is none, it generates one and prints it after do has succeeded.
func withPassword(std streams, email emailAddress, do func(hash string) error) error {
	password, err := readPassword(std.in)
	if err != nil {
		return err
	}
	given := password != ""
	if !given {
		password = auth.NewPassword()
	}
	hash, err := auth.HashPassword(password)
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

// readPassword reads the first line of standard input. It returns "" if nothing
// is piped there.
func readPassword(in io.Reader) (string, error) {
	if file, ok := in.(*os.File); ok {
		if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice != 0 {
			return "", nil // a terminal or /dev/null
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
	if wrong := auth.CheckPassword(password); !wrong.IsZero() {
		return "", usageError("the password: " + messages.Text(wrong))
	}
	return password, nil
}
