package handlers

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

func (a *app) listTokens(c *fiber.Ctx) error {
	page, err := a.page(c)
	if err != nil {
		return err
	}
	return a.showTokens(c, http.StatusOK, views.TokensProps{Page: page})
}

func (a *app) showTokens(c *fiber.Ctx, status int, props views.TokensProps) (err error) {
	if props.Tokens, err = a.Store.Tokens(c.UserContext(), visiting(c).Account.ID); err != nil {
		return err
	}
	if props.Clients.Clients, err = a.Store.Clients(c.UserContext(), visiting(c).Account.ID); err != nil {
		return err
	}
	props.BaseURL = a.baseURL(c)
	return render(c, status, views.Tokens(props))
}

// addToken makes a token that is shown once, on the answer itself: only its
// hash is kept.
func (a *app) addToken(c *fiber.Ctx) error {
	v := visiting(c)
	props := views.TokensProps{Page: v.page(c, nil), Name: formValue(c, "name")}
	name, problem := webhook.CheckName(props.Name)
	if problem != "" {
		props.Problems = webhook.Invalid{"name": problem}
		return a.showTokens(c, http.StatusUnprocessableEntity, props)
	}
	text, hash := NewToken()
	if _, err := a.Store.AddToken(c.UserContext(), webhook.Token{Account: v.Account.ID, Name: name, CreatedAt: time.Now()}, hash, v.User.Email); err != nil {
		return err
	}
	props.Name, props.New = "", text
	return a.showTokens(c, http.StatusCreated, props)
}

func (a *app) revokeToken(c *fiber.Ctx) error {
	v := visiting(c)
	id, err := refParam(c, webhook.TokenPrefix)
	if err != nil {
		return err
	}
	if err := a.Store.RevokeToken(c.UserContext(), v.Account.ID, id, v.User.Email, time.Now()); err != nil {
		return err
	}
	a.tokens.forget()
	return a.done(c, "/settings/tokens", "The token was revoked. Whatever uses it is refused from now on.")
}
