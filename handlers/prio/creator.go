package prio

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"bookhook/auth"
	"bookhook/webhook"
)

// clientPrefix is before the name of a client in the activity log.
const clientPrefix = "Prioticket client "

// creator is who created a webhook, as clients see it; neither is ever empty.
type creator struct{ name, email string }

// creators returns a function that says who created a webhook of the account: a
// person, by their e-mail address, or a program, by its name and the contact address
// of the account. Of a webhook from before this was recorded, it is the account.
func (pr *Prio) creators(ctx context.Context, account webhook.Account) (func(*webhook.Webhook) creator, error) {
	users, err := pr.Store.Users(ctx, account.ID)
	if err != nil {
		return nil, err
	}
	contact := contactOf(account, users)
	return func(w *webhook.Webhook) creator {
		if w.CreatedBy == "" {
			return creator{account.Name, contact}
		}
		if email, problem := auth.CheckEmail(w.CreatedBy); problem.IsZero() {
			return creator{email, email}
		}
		return creator{strings.TrimPrefix(w.CreatedBy, clientPrefix), contact}
	}, nil
}

// contactOf is the address of the account's first user who may configure webhooks,
// else of its first user. An account without users has none, and the addresses of
// the instance's admins are not for its programs: then it is one that is valid, and
// that nobody has (RFC 2606).
func contactOf(account webhook.Account, users []webhook.User) string {
	if i := slices.IndexFunc(users, func(u webhook.User) bool { return u.Role.CanConfigure() }); i >= 0 {
		return users[i].Email
	}
	if len(users) > 0 {
		return users[0].Email
	}
	return fmt.Sprintf("account-%d@bookhook.invalid", account.Number)
}
