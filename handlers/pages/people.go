package pages

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// UserStore is what the pages need of the users.
type UserStore interface {
	AddUser(ctx context.Context, u webhook.User, change webhook.Change) (webhook.User, error)
	User(ctx context.Context, id webhook.UserID) (webhook.User, error)
	Users(ctx context.Context, account webhook.AccountID) ([]webhook.User, error)
	SetRole(ctx context.Context, account webhook.AccountID, id webhook.UserID, role webhook.Role, change webhook.Change) error
	RemoveUser(ctx context.Context, account webhook.AccountID, id webhook.UserID, change webhook.Change) error
	SetPassword(ctx context.Context, id webhook.UserID, passwordHash string, keep []byte, change webhook.Change) error
}

// ListPeople shows the users of the account.
func (pg *Pages) ListPeople(c *fiber.Ctx) error {
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	return pg.showPeople(c, http.StatusOK, views.PeopleProps{Page: page})
}

func (pg *Pages) showPeople(c *fiber.Ctx, status int, props views.PeopleProps) (err error) {
	account := currentUser(c).Account.ID
	if props.Users, err = pg.Store.Users(c.UserContext(), account); err != nil {
		return err
	}
	if props.Invitations, err = pg.Store.Invitations(c.UserContext(), account); err != nil {
		return err
	}
	props.Mail = pg.Mailer != nil
	return render(c, status, views.People(props))
}

// AddPerson invites somebody by e-mail. Without that it creates a user, whose first
// password is shown once, in this response: only its hash is stored.
func (pg *Pages) AddPerson(c *fiber.Ctx) error {
	v := currentUser(c)
	props := views.PeopleProps{Page: v.page(c, nil), Email: web.FormValue(c, "email"), Role: web.FormValue(c, "role")}
	if pg.Mailer != nil {
		return pg.invite(c, props)
	}
	added, problems, err := pg.addUser(c, v.Account.ID, memberRoles)
	if err != nil {
		return err
	}
	if props.Problems = problems; len(problems) > 0 {
		return pg.showPeople(c, formStatus(problems), props)
	}
	props.Email, props.Role, props.Added = "", "", added
	return pg.showPeople(c, http.StatusCreated, props)
}

// memberRoles are the roles of people who belong to an account.
var memberRoles = []webhook.Role{webhook.RoleOperator, webhook.RoleStaff}

// addUser creates a user of an account from the form's email and role. It answers whether
// an address signs in to any account, so refused ones are counted as at the sign-in.
func (pg *Pages) addUser(c *fiber.Ctx, account webhook.AccountID, roles []webhook.Role) (views.NewUser, webhook.Invalid, error) {
	problems := webhook.Invalid{}
	email := readEmail(web.FormValue(c, "email"), problems)
	role := readRole(web.FormValue(c, "role"), roles, problems)
	if len(problems) > 0 {
		return views.NewUser{}, problems, nil
	}
	owner := currentUser(c).hashOwner()
	allowed, err := pg.people.Allow(c.UserContext(), owner, email, time.Now())
	if err != nil {
		return views.NewUser{}, nil, err
	}
	if !allowed {
		problems.Add("email", "person.too_many")
		return views.NewUser{}, problems, nil
	}
	password := auth.NewPassword()
	hash, err := pg.hasher.Hash(c.UserContext(), owner, password)
	if err != nil {
		return views.NewUser{}, nil, err
	}
	_, err = pg.Store.AddUser(c.UserContext(), webhook.User{
		Account: account, Email: email, PasswordHash: hash, Role: role,
	}, currentUser(c).change())
	if err == nil {
		_ = pg.people.Forgive(c.UserContext(), owner, email) // else it counts for a while
	}
	if problems, err = pg.refused(err, "email"); err != nil {
		return views.NewUser{}, nil, err
	}
	return views.NewUser{Email: email, Password: password}, problems, nil
}

func readRole(text string, roles []webhook.Role, problems webhook.Invalid) webhook.Role {
	for _, role := range roles {
		if text == string(role) {
			return role
		}
	}
	problems.Add("role", "role.unknown")
	return ""
}

// RemovePerson removes a user of the account and ends their sessions; nobody can
// remove themselves.
func (pg *Pages) RemovePerson(c *fiber.Ctx) error {
	v := currentUser(c)
	user, err := pg.personParam(c)
	if err != nil {
		return err
	}
	if user.ID == v.User.ID {
		return pg.refusePerson(c, webhook.NewMessage("person.self_remove"))
	}
	if err := pg.Store.RemoveUser(c.UserContext(), v.Account.ID, user.ID, v.change()); err != nil {
		return err
	}
	return pg.done(c, "/settings/people", webhook.NewMessage("person.removed", user.Email))
}

// ChangeRole makes staff an operator or the reverse; nobody changes their own role, so
// that an account is not left without an operator by mistake.
func (pg *Pages) ChangeRole(c *fiber.Ctx) error {
	v := currentUser(c)
	user, err := pg.personParam(c)
	if err != nil {
		return err
	}
	if user.ID == v.User.ID || user.Role == webhook.RoleAdmin {
		return pg.refusePerson(c, webhook.NewMessage("person.self_role"))
	}
	problems := webhook.Invalid{}
	role := readRole(web.FormValue(c, "role"), memberRoles, problems)
	if len(problems) > 0 {
		return pg.refusePerson(c, problems["role"])
	}
	if err := pg.Store.SetRole(c.UserContext(), v.Account.ID, user.ID, role, v.change()); err != nil {
		return err
	}
	return pg.done(c, "/settings/people", webhook.NewMessage("person.role", user.Email, string(role)))
}

// RenewPassword gives a user who cannot sign in a new first password, which is shown
// once.
func (pg *Pages) RenewPassword(c *fiber.Ctx) error {
	v := currentUser(c)
	user, err := pg.personParam(c)
	if err != nil {
		return err
	}
	if user.ID == v.User.ID {
		return pg.refusePerson(c, webhook.NewMessage("person.self_password"))
	}
	password := auth.NewPassword()
	hash, err := pg.hasher.Hash(c.UserContext(), currentUser(c).hashOwner(), password)
	if err != nil {
		return err
	}
	if err := pg.Store.SetPassword(c.UserContext(), user.ID, hash, nil, v.change()); err != nil {
		return err
	}
	return pg.showPeople(c, http.StatusOK, views.PeopleProps{Page: v.page(c, nil), Added: views.NewUser{Email: user.Email, Password: password}})
}

// refusePerson shows the people again, with why something cannot be done.
func (pg *Pages) refusePerson(c *fiber.Ctx, why webhook.Message) error {
	props := views.PeopleProps{Page: currentUser(c).page(c, nil), Problems: webhook.Invalid{"email": why}}
	return pg.showPeople(c, http.StatusUnprocessableEntity, props)
}

// personParam finds the user in the path. Only admins may change admins.
func (pg *Pages) personParam(c *fiber.Ctx) (webhook.User, error) {
	v := currentUser(c)
	id, err := web.IDParam[webhook.UserID](c)
	if err != nil {
		return webhook.User{}, err
	}
	user, err := pg.Store.User(c.UserContext(), id)
	switch {
	case err != nil:
		return webhook.User{}, err
	case user.Account != v.Account.ID:
		return webhook.User{}, webhook.ErrNotFound
	case user.Role == webhook.RoleAdmin && v.User.Role != webhook.RoleAdmin:
		return webhook.User{}, fiber.ErrForbidden
	}
	return user, nil
}
