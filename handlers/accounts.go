package handlers

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

// maxLimit is the most webhooks an account can be allowed.
const maxLimit = 1000

func (a *app) listAccounts(c *fiber.Ctx) error {
	page, err := a.page(c)
	if err != nil {
		return err
	}
	return a.showAccounts(c, http.StatusOK, views.AccountsProps{Page: page})
}

func (a *app) showAccounts(c *fiber.Ctx, status int, props views.AccountsProps) error {
	accounts, err := a.Store.Accounts(c.UserContext())
	if err != nil {
		return err
	}
	for _, use := range accounts {
		props.Rows = append(props.Rows, views.AccountRow{Account: use.Account, Webhooks: use.Webhooks, Users: use.Users})
	}
	return render(c, status, views.Accounts(props))
}

// refuseAccount shows the list again with a form that was not in order.
func (a *app) refuseAccount(c *fiber.Ctx, form views.AccountForm) error {
	return a.showAccounts(c, http.StatusUnprocessableEntity, views.AccountsProps{Page: visiting(c).page(c, nil), Form: form})
}

func (a *app) addAccount(c *fiber.Ctx) error {
	form := views.AccountForm{Name: formValue(c, "name"), Number: formValue(c, "number")}
	account, problems := readAccount(form.Name, form.Number)
	account.CreatedAt = time.Now()
	if len(problems) == 0 {
		var err error
		account, err = a.Store.AddAccount(c.UserContext(), account, visiting(c).User.Email)
		if problems, err = invalid(err); err != nil {
			return err
		}
	}
	if form.Problems = problems; len(problems) > 0 {
		return a.refuseAccount(c, form)
	}
	return a.done(c, "/admin/accounts", fmt.Sprintf("The account “%s” was made with the number %d. Add somebody who signs in to it.", account.Name, account.Number))
}

func (a *app) saveLimit(c *fiber.Ctx) error {
	account, err := a.accountParam(c)
	if err != nil {
		return err
	}
	form := views.AccountForm{Account: account.ID, Limit: formValue(c, "limit")}
	limit, err := strconv.Atoi(strings.TrimSpace(form.Limit))
	if err != nil || limit < 0 || limit > maxLimit {
		form.Problems = webhook.Invalid{"limit": fmt.Sprintf("Use a whole number from 0 to %d.", maxLimit)}
		return a.refuseAccount(c, form)
	}
	if err := a.Store.SetLimit(c.UserContext(), account.ID, limit, visiting(c).User.Email, time.Now()); err != nil {
		return err
	}
	return a.done(c, "/admin/accounts", fmt.Sprintf("“%s” may have %d webhooks now.", account.Name, limit))
}

func (a *app) addAccountUser(c *fiber.Ctx) error {
	account, err := a.accountParam(c)
	if err != nil {
		return err
	}
	form := views.AccountForm{Account: account.ID, Email: formValue(c, "email"), Role: formValue(c, "role")}
	added, problems, err := a.addUser(c, account.ID, webhook.Roles)
	if err != nil {
		return err
	}
	if form.Problems = problems; len(problems) > 0 {
		return a.refuseAccount(c, form)
	}
	return a.showAccounts(c, http.StatusCreated, views.AccountsProps{Page: visiting(c).page(c, nil), Added: added})
}

func (a *app) accountParam(c *fiber.Ctx) (webhook.Account, error) {
	id, err := refParam(c, webhook.AccountPrefix)
	if err != nil {
		return webhook.Account{}, err
	}
	return a.Store.Account(c.UserContext(), id)
}
