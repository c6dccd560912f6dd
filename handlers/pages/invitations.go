package pages

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// InvitationStore is what the pages need of invitations.
type InvitationStore interface {
	AddInvitation(ctx context.Context, i webhook.Invitation, change webhook.Change) (webhook.Invitation, error)
	Invitations(ctx context.Context, account webhook.AccountID) ([]webhook.Invitation, error)
	SendInvitation(ctx context.Context, account webhook.AccountID, id webhook.InvitationID, change webhook.Change) (webhook.Invitation, error)
	WithdrawInvitation(ctx context.Context, account webhook.AccountID, id webhook.InvitationID, change webhook.Change) (webhook.Invitation, error)
}

// invite invites the person in the form to the account.
func (pg *Pages) invite(c *fiber.Ctx, props views.PeopleProps) error {
	v := currentUser(c)
	i, problems := readPerson(props.Email, props.Role)
	i.Account = v.Account.ID
	if len(problems) == 0 {
		var err error
		i, err = pg.Store.AddInvitation(c.UserContext(), i, v.change())
		if problems, err = pg.refused(err, "email"); err != nil {
			return err
		}
	}
	if props.Problems = problems; len(problems) > 0 {
		return pg.showPeople(c, formStatus(problems), props)
	}
	return pg.done(c, "/settings/people", webhook.NewMessage("invitation.sent", i.Email))
}

func readPerson(email, role string) (webhook.Invitation, webhook.Invalid) {
	problems := webhook.Invalid{}
	i := webhook.Invitation{Email: readEmail(email, problems), Role: readRole(role, memberRoles, problems)}
	return i, problems
}

// SendInvitation sends an invitation again.
func (pg *Pages) SendInvitation(c *fiber.Ctx) error {
	v := currentUser(c)
	id, err := web.IDParam[webhook.InvitationID](c)
	if err != nil {
		return err
	}
	if pg.Mailer == nil {
		return pg.refusePerson(c, webhook.NewMessage("invitation.no_mail"))
	}
	i, err := pg.Store.SendInvitation(c.UserContext(), v.Account.ID, id, v.change())
	problems, err := pg.refused(err, "email")
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return pg.refusePerson(c, problems["email"])
	}
	return pg.done(c, "/settings/people", webhook.NewMessage("invitation.sent", i.Email))
}

// WithdrawInvitation ends an invitation.
func (pg *Pages) WithdrawInvitation(c *fiber.Ctx) error {
	v := currentUser(c)
	id, err := web.IDParam[webhook.InvitationID](c)
	if err != nil {
		return err
	}
	i, err := pg.Store.WithdrawInvitation(c.UserContext(), v.Account.ID, id, v.change())
	if err != nil {
		return err
	}
	return pg.done(c, "/settings/people", webhook.NewMessage("invitation.withdrawn", i.Email))
}
