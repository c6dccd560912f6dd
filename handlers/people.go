package handlers

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

func (a *app) listPeople(c *fiber.Ctx) error {
	page, err := a.page(c)
	if err != nil {
		return err
	}
	return a.showPeople(c, http.StatusOK, views.PeopleProps{Page: page})
}

func (a *app) showPeople(c *fiber.Ctx, status int, props views.PeopleProps) (err error) {
	if props.Users, err = a.Store.Users(c.UserContext(), visiting(c).Account.ID); err != nil {
		return err
	}
	return render(c, status, views.People(props))
}

// addPerson makes a user whose first password is shown once, on the answer
// itself: it is kept nowhere.
func (a *app) addPerson(c *fiber.Ctx) error {
	v := visiting(c)
	props := views.PeopleProps{Page: v.page(c, nil), Email: formValue(c, "email"), Role: formValue(c, "role")}
	added, problems, err := a.addUser(c, v.Account.ID, []webhook.Role{webhook.RoleOperator, webhook.RoleStaff})
	if err != nil {
		return err
	}
	if props.Problems = problems; len(problems) > 0 {
		return a.showPeople(c, formStatus(problems), props)
	}
	props.Email, props.Role, props.Added = "", "", added
	return a.showPeople(c, http.StatusCreated, props)
}

// addUser makes a user of an account from the form's email and role.
func (a *app) addUser(c *fiber.Ctx, account webhook.ID, roles []webhook.Role) (views.NewUser, webhook.Invalid, error) {
	problems := webhook.Invalid{}
	email := readEmail(formValue(c, "email"), problems)
	role := readRole(formValue(c, "role"), roles, problems)
	if len(problems) > 0 {
		return views.NewUser{}, problems, nil
	}
	password := NewPassword()
	hash, err := a.hashing.hash(c.UserContext(), password)
	if err != nil {
		return views.NewUser{}, nil, err
	}
	_, err = a.Store.AddUser(c.UserContext(), webhook.User{
		Account: account, Email: email, PasswordHash: hash, Role: role, CreatedAt: time.Now(),
	}, visiting(c).User.Email)
	problems, err = invalid(err)
	return views.NewUser{Email: email, Password: password}, problems, err
}

func readRole(text string, roles []webhook.Role, problems webhook.Invalid) webhook.Role {
	for _, role := range roles {
		if text == string(role) {
			return role
		}
	}
	problems.Add("role", "Choose a role from the list.")
	return ""
}

func (a *app) removePerson(c *fiber.Ctx) error {
	v := visiting(c)
	user, err := a.personParam(c)
	if err != nil {
		return err
	}
	if user.ID == v.User.ID {
		return a.refusePerson(c, "You cannot remove yourself. Ask another operator to do it.")
	}
	if err := a.Store.RemoveUser(c.UserContext(), v.Account.ID, user.ID, v.User.Email, time.Now()); err != nil {
		return err
	}
	return a.done(c, "/settings/people", user.Email+" was removed and signed out everywhere.")
}

// renewPassword gives somebody who cannot sign in a new first password, which
// is shown once like the one before.
func (a *app) renewPassword(c *fiber.Ctx) error {
	v := visiting(c)
	user, err := a.personParam(c)
	if err != nil {
		return err
	}
	if user.ID == v.User.ID {
		return a.refusePerson(c, "Change your own password under Settings, Profile.")
	}
	password := NewPassword()
	hash, err := a.hashing.hash(c.UserContext(), password)
	if err != nil {
		return err
	}
	if err := a.Store.SetPassword(c.UserContext(), user.ID, hash, nil, v.User.Email, time.Now()); err != nil {
		return err
	}
	return a.showPeople(c, http.StatusOK, views.PeopleProps{Page: v.page(c, nil), Added: views.NewUser{Email: user.Email, Password: password}})
}

// refusePerson shows the people again with what cannot be done.
func (a *app) refusePerson(c *fiber.Ctx, why string) error {
	props := views.PeopleProps{Page: visiting(c).page(c, nil), Problems: webhook.Invalid{"email": why}}
	return a.showPeople(c, http.StatusUnprocessableEntity, props)
}

// personParam is the user of the account that the path names. Only admins may
// change admins.
func (a *app) personParam(c *fiber.Ctx) (webhook.User, error) {
	v := visiting(c)
	id, err := refParam(c, webhook.UserPrefix)
	if err != nil {
		return webhook.User{}, err
	}
	user, err := a.Store.User(c.UserContext(), id)
	if err == nil && user.Account != v.Account.ID {
		err = webhook.ErrNotFound
	}
	if err != nil {
		return webhook.User{}, err
	}
	if user.Role == webhook.RoleAdmin && v.User.Role != webhook.RoleAdmin {
		err = fiber.ErrForbidden
	}
	return user, err
}
