package pages

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// AccountStore is what the pages need of the accounts.
type AccountStore interface {
	AddAccount(ctx context.Context, a webhook.Account, change webhook.Change) (webhook.Account, error)
	Account(ctx context.Context, id webhook.AccountID) (webhook.Account, error)
	AccountsAfter(ctx context.Context, number int64, limit int) ([]webhook.AccountUse, error)
	Replicas(ctx context.Context) ([]webhook.Replica, error)
	CountCheck(ctx context.Context, account webhook.AccountID, now time.Time) error
	SetLimit(ctx context.Context, account webhook.AccountID, limit int, change webhook.Change) error
}

// maxLimit is the most webhooks an account can be allowed.
const maxLimit = 1000

// accountRows is how many accounts one page shows.
const accountRows = 50

// ListAccounts shows the accounts of the instance by number, 50 on a page.
func (pg *Pages) ListAccounts(c *fiber.Ctx) error {
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	return pg.showAccounts(c, http.StatusOK, views.AccountsProps{Page: page})
}

func (pg *Pages) showAccounts(c *fiber.Ctx, status int, props views.AccountsProps) error {
	after, _ := strconv.ParseInt(c.Query("after"), 10, 64) // what is no number is the first page
	if props.Form.Account != 0 {                           // its page has the form
		account, err := pg.Store.Account(c.UserContext(), props.Form.Account)
		if err != nil {
			return err
		}
		after = account.Number - 1
	}
	accounts, err := pg.Store.AccountsAfter(c.UserContext(), after, accountRows+1)
	if err != nil {
		return err
	}
	props.First = after <= 0
	if len(accounts) > accountRows {
		accounts = accounts[:accountRows]
		props.After = accounts[accountRows-1].Number
	}
	for _, use := range accounts {
		props.Rows = append(props.Rows, views.AccountRow{Account: use.Account, Webhooks: use.Webhooks, Users: use.Users})
	}
	return render(c, status, views.Accounts(props))
}

// refuseAccount shows the list again, with the problems of a form.
func (pg *Pages) refuseAccount(c *fiber.Ctx, form views.AccountForm) error {
	return pg.showAccounts(c, http.StatusUnprocessableEntity, views.AccountsProps{Page: currentUser(c).page(c, nil), Form: form})
}

// AddAccount creates an account with the default limit of webhooks.
func (pg *Pages) AddAccount(c *fiber.Ctx) error {
	form := views.AccountForm{Name: web.FormValue(c, "name"), Number: web.FormValue(c, "number")}
	account, problems := readAccount(form.Name, form.Number)
	if len(problems) == 0 {
		var err error
		account, err = pg.Store.AddAccount(c.UserContext(), account, currentUser(c).change())
		if problems, err = invalid(err); err != nil {
			return err
		}
	}
	if form.Problems = problems; len(problems) > 0 {
		return pg.refuseAccount(c, form)
	}
	return pg.done(c, "/admin/accounts", webhook.NewMessage("account.created", account.Name, account.Number))
}

// SaveLimit changes how many asynchronous webhooks an account may have, up to
// 1,000.
func (pg *Pages) SaveLimit(c *fiber.Ctx) error {
	account, err := pg.accountParam(c)
	if err != nil {
		return err
	}
	form := views.AccountForm{Account: account.ID, Limit: web.FormValue(c, "limit")}
	limit, err := strconv.Atoi(strings.TrimSpace(form.Limit))
	if err != nil || limit < 0 || limit > maxLimit {
		form.Problems = webhook.Invalid{"limit": webhook.NewMessage("number.range", 0, maxLimit)}
		return pg.refuseAccount(c, form)
	}
	if err := pg.Store.SetLimit(c.UserContext(), account.ID, limit, currentUser(c).change()); err != nil {
		return err
	}
	return pg.done(c, "/admin/accounts", webhook.NewMessage("account.limit", account.Name, limit))
}

// AddAccountUser creates a user of an account, with any role; the first password
// is shown once.
func (pg *Pages) AddAccountUser(c *fiber.Ctx) error {
	account, err := pg.accountParam(c)
	if err != nil {
		return err
	}
	form := views.AccountForm{Account: account.ID, Email: web.FormValue(c, "email"), Role: web.FormValue(c, "role")}
	added, problems, err := pg.addUser(c, account.ID, webhook.Roles)
	if err != nil {
		return err
	}
	if form.Problems = problems; len(problems) > 0 {
		return pg.refuseAccount(c, form)
	}
	return pg.showAccounts(c, http.StatusCreated, views.AccountsProps{Page: currentUser(c).page(c, nil), Added: added})
}

// countCheck counts that Bookhook is about to call an address of somebody's choice, and
// returns why it must not; zero if it may.
func (pg *Pages) countCheck(c *fiber.Ctx) (webhook.Message, error) {
	problems, err := pg.refused(pg.Store.CountCheck(c.UserContext(), currentUser(c).Account.ID, time.Now()), "check")
	return problems["check"], err
}

func (pg *Pages) accountParam(c *fiber.Ctx) (webhook.Account, error) {
	id, err := web.IDParam[webhook.AccountID](c)
	if err != nil {
		return webhook.Account{}, err
	}
	return pg.Store.Account(c.UserContext(), id)
}
