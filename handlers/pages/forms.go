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
	"bookhook/webhook"
)

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
	email, problem := auth.CheckEmail(text)
	if problem != "" {
		problems.Add("email", "%s", problem)
	}
	return email
}

func checkPassword(field, password string, problems webhook.Invalid) {
	if problem := auth.CheckPassword(password); problem != "" {
		problems.Add(field, "%s", problem)
	}
}

// readSwitch reads whether something is to be switched on or off.
func readSwitch(c *fiber.Ctx) (bool, error) {
	switch web.FormValue(c, "enabled") {
	case "1":
		return true, nil
	case "0":
		return false, nil
	}
	return false, webhook.Invalid{"enabled": "Send 1 to switch it on, 0 to switch it off."}
}

// readDay reads a day as a form has it, in the account's time zone; no day is
// the zero time.
func readDay(text string, loc *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.ParseInLocation(time.DateOnly, text, loc)
}

// invalid takes the problems of a form out of an error.
func invalid(err error) (webhook.Invalid, error) {
	if problems, ok := errors.AsType[webhook.Invalid](err); ok {
		return problems, nil
	}
	return nil, err
}

// formStatus is 422 when a form has problems, else 200.
func formStatus(problems webhook.Invalid) int {
	if len(problems) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}
