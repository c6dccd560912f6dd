package handlers

import (
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

// addClient makes a client of the Prioticket-compatible API. Its secret is
// shown once, on the answer itself: only its hash is kept.
func (a *app) addClient(c *fiber.Ctx) error {
	v := visiting(c)
	props := views.TokensProps{Page: v.page(c, nil), Clients: views.ClientsProps{Name: formValue(c, "name")}}
	name, problem := webhook.CheckName(props.Clients.Name)
	if problem != "" {
		props.Clients.Problems = webhook.Invalid{"name": problem}
		return a.showTokens(c, http.StatusUnprocessableEntity, props)
	}
	secret, hash := NewClientSecret()
	client, err := a.Store.AddClient(c.UserContext(), webhook.Client{Account: v.Account.ID, Name: name, CreatedAt: time.Now()}, hash, v.User.Email)
	if err != nil {
		return err
	}
	props.Clients = views.ClientsProps{New: &views.NewClient{Client: client, Secret: secret}}
	return a.showTokens(c, http.StatusCreated, props)
}

func (a *app) revokeClient(c *fiber.Ctx) error {
	v := visiting(c)
	id, err := refParam(c, webhook.ClientPrefix)
	if err != nil {
		return err
	}
	if err := a.Store.RevokeClient(c.UserContext(), v.Account.ID, id, v.User.Email, time.Now()); err != nil {
		return err
	}
	return a.done(c, "/settings/tokens", "The client was revoked, and its access tokens with it. Its webhooks stay.")
}
