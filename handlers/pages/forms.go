package pages

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/handlers/web"
	"bookhook/messages"
	"bookhook/webhook"
)

// TakeForm is a guard that receives the form which was posted; it may be large where
// a list is imported, or where the channels and tours of a webhook are chosen. A list of
// references is read as it arrives, by [Pages.AddUpload].
func (pg *Pages) TakeForm(c *fiber.Ctx) error {
	limit := web.MaxForm
	switch path := c.Path(); {
	case path == "/reconcile":
		return c.Next()
	case strings.HasPrefix(path, "/drafts/"):
		limit = web.MaxListForm
	case path == "/channels/import", path == "/tours/import":
		limit = web.MaxBody
	}
	if err := pg.Server.TakeBody(c, limit); err != nil {
		return err
	}
	return c.Next()
}

// readAccount reads the name and the number of an account; an empty number is 0.
func readAccount(name, number string) (webhook.Account, webhook.Invalid) {
	problems := webhook.Invalid{}
	account := webhook.Account{TimeZone: "UTC", WebhookLimit: webhook.DefaultLimit}
	var problem webhook.Message
	if account.Name, problem = webhook.CheckName(name); !problem.IsZero() {
		problems.AddMessage("name", problem)
	}
	if number = strings.TrimSpace(number); number != "" {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 || n > 1<<53 {
			problems.Add("number", "account.number")
		}
		account.Number = n
	}
	return account, problems
}

func readEmail(text string, problems webhook.Invalid) string {
	email, problem := auth.CheckEmail(text)
	problems.AddMessage("email", problem)
	return email
}

func checkPassword(field, password string, problems webhook.Invalid) {
	problems.AddMessage(field, auth.CheckPassword(password))
}

// readSwitch reads whether something is to be switched on or off.
func readSwitch(c *fiber.Ctx) (bool, error) {
	switch web.FormValue(c, "enabled") {
	case "1":
		return true, nil
	case "0":
		return false, nil
	}
	return false, webhook.Invalid{"enabled": webhook.NewMessage("switch.unknown")}
}

// readDay parses a day of a form, and returns when it begins and ends in the
// account's time zone; an empty one is zero times.
func readDay(text string, loc *time.Location) (start, end time.Time, err error) {
	if text == "" {
		return start, end, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return start, end, err
	}
	year, month, n := day.Date()
	return webhook.StartOfDay(year, month, n, loc), webhook.StartOfDay(year, month, n+1, loc), nil
}

// invalid returns the problems in an error, or the error if it has none.
func invalid(err error) (webhook.Invalid, error) {
	if problems, ok := errors.AsType[webhook.Invalid](err); ok {
		return problems, nil
	}
	return nil, err
}

// refused is invalid for a form that a limit may refuse: then the limit is the problem
// of the field.
func (pg *Pages) refused(err error, field string) (webhook.Invalid, error) {
	if reached, ok := errors.AsType[webhook.LimitReached](err); ok {
		return webhook.Invalid{field: messages.Limit(reached, pg.Server.Support())}, nil
	}
	return invalid(err)
}

// formStatus is 422 when a form has problems, else 200.
func formStatus(problems webhook.Invalid) int {
	if len(problems) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}
