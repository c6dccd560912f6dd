package handlers

import (
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// Bounds of a password; whole phrases fit, whole books do not.
const (
	minPassword = 12
	maxPassword = 200
)

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

func readEmail(email string, problems webhook.Invalid) string {
	email = strings.ToLower(strings.TrimSpace(email))
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 || !strings.Contains(email, "@") {
		problems.Add("email", "Enter an e-mail address, such as anna@example.com.")
	}
	return email
}

func checkPassword(field, password string, problems webhook.Invalid) {
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		problems.Add(field, "Use at least %d characters; a few words are easy to remember.", minPassword)
	case n > maxPassword:
		problems.Add(field, "Use at most %d characters.", maxPassword)
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
