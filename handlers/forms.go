package handlers

import (
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// formValue is the first value of a form field, "" when there is none. What
// stands in the address is no part of a form, and the only form that comes in
// parts is the import's.
func formValue(c *fiber.Ctx, name string) string {
	return string(c.Request().PostArgs().Peek(name))
}

// formValues are all values of a form field, in order.
func formValues(c *fiber.Ctx, name string) []string {
	var values []string
	for _, value := range c.Request().PostArgs().PeekMulti(name) {
		values = append(values, string(value))
	}
	return values
}

// readAccount reads name and number of an account as typed; no number is 0.
func readAccount(name, number string) (webhook.Account, webhook.Invalid) {
	problems := webhook.Invalid{}
	account := webhook.Account{TimeZone: "UTC", WebhookLimit: webhook.DefaultLimit}
	var problem string
	if account.Name, problem = webhook.CheckName(name); problem != "" {
		problems.Add("name", "%s", problem)
	}
	if number = strings.TrimSpace(number); number != "" {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 || n > 1<<53 {
			problems.Add("number", "Use a whole number, such as 4069.")
		}
		account.Number = n
	}
	return account, problems
}

func readEmail(text string, problems webhook.Invalid) string {
	email, problem := CheckEmail(text)
	if problem != "" {
		problems.Add("email", "%s", problem)
	}
	return email
}

func checkPassword(field, password string, problems webhook.Invalid) {
	if problem := CheckPassword(password); problem != "" {
		problems.Add(field, "%s", problem)
	}
}

// refParam reads the id in the path.
func refParam(c *fiber.Ctx, prefix string) (webhook.ID, error) {
	return webhook.ParseID(prefix, c.Params("id"))
}

// refQuery reads an id from the query; a missing one is 0.
func refQuery(c *fiber.Ctx, name, prefix string) (webhook.ID, error) {
	if c.Query(name) == "" {
		return 0, nil
	}
	return webhook.ParseID(prefix, c.Query(name))
}

// readDay reads a day as a form has it, in the account's time zone; no day is
// the zero time.
func readDay(text string, loc *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.ParseInLocation(time.DateOnly, text, loc)
}
