package notices

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bookhook/auth"
	"bookhook/webhook"
)

// The pages that the links of these letters lead to. The token is in the query,
// which no log has.
const (
	InvitationPath = "/invitation"
	ResetPath      = "/password/new"
)

// roleWords are the roles as they stand in a sentence.
var roleWords = map[webhook.Role]string{webhook.RoleOperator: "an operator", webhook.RoleStaff: "a member of the staff", webhook.RoleAdmin: "an administrator"}

// invitation asks somebody to choose a password, or says that the address signs in to
// another account. The message must be the last one of its invitation.
func (w *Worker) invitation(ctx context.Context, m webhook.Mail, now time.Time) (letter, error) {
	token, hash := auth.NewLinkToken()
	i, err := w.Store.SetInvitationToken(ctx, m.ID, hash, now.Add(webhook.InvitationTerm))
	if err != nil {
		return letter{}, err
	}
	account, err := w.Store.Account(ctx, i.Account)
	if err != nil {
		return letter{}, err
	}
	l := letter{
		Subject: "Invitation to Bookhook of " + account.Name,
		Text:    []string{fmt.Sprintf("%s invites you to Bookhook of %s, as %s.", i.CreatedBy, account.Name, roleWords[i.Role])},
	}
	switch _, err := w.Store.UserByEmail(ctx, i.Email); {
	case err == nil:
		l.Text = append(l.Text, "You sign in at "+w.BaseURL+" with this e-mail address already, and an address belongs to one account. To join, ask "+i.CreatedBy+" to invite another address of yours.")
		l.Small = []string{"If you did not expect this, do nothing: nothing changes."}
		return l, nil
	case !errors.Is(err, webhook.ErrNotFound):
		return letter{}, err
	}
	l.Text = append(l.Text, "Bookhook sends bookings to other systems and shows what happened to each. Choose a password to join; you sign in with this e-mail address.")
	l.Button = button{"Choose a password", w.BaseURL + InvitationPath + "?token=" + token}
	l.Small = []string{
		fmt.Sprintf("The link works once, until %s. If it is too late, ask %s to send another one.", moment(i.ExpiresAt, account), i.CreatedBy),
		"If you did not expect this, do nothing: nobody can sign in with your address.",
	}
	return l, nil
}

// reset offers a new password to whoever has the address of the message, if it is a
// user's. A request that waited for so long that its link would have ended is over.
func (w *Worker) reset(ctx context.Context, m webhook.Mail, now time.Time) (letter, error) {
	if now.Sub(m.CreatedAt) > webhook.ResetTerm {
		return letter{}, webhook.ErrNotFound
	}
	token, hash := auth.NewLinkToken()
	expires := now.Add(webhook.ResetTerm)
	user, err := w.Store.StartReset(ctx, m, hash, expires)
	if err != nil {
		return letter{}, err
	}
	var account webhook.Account // an admin may have none
	if user.Account != 0 {
		if account, err = w.Store.Account(ctx, user.Account); err != nil {
			return letter{}, err
		}
	}
	return letter{
		Subject: "Choose a new password for Bookhook",
		Text: []string{
			"Somebody, probably you, asked for a new password for " + user.Email + " at " + w.BaseURL + ".",
			"Choose it here. Your other browsers are then signed out.",
		},
		Button: button{"Choose a new password", w.BaseURL + ResetPath + "?token=" + token},
		Small: []string{
			fmt.Sprintf("The link works once, until %s.", moment(expires, account)),
			"If it was not you, do nothing: your password stays as it is.",
		},
	}, nil
}
