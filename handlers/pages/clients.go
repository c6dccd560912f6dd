package pages

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// ClientStore is what the pages need of the clients of the Prioticket-compatible
// API.
type ClientStore interface {
	AddClient(ctx context.Context, c webhook.Client, hash []byte, change webhook.Change) (webhook.Client, error)
	Clients(ctx context.Context, account webhook.AccountID) ([]webhook.Client, error)
	RevokeClient(ctx context.Context, account webhook.AccountID, id webhook.ClientID, change webhook.Change) error
}

// AddClient creates a client of the Prioticket-compatible API. Its secret is shown
// once, in this response: only its hash is stored.
func (pg *Pages) AddClient(c *fiber.Ctx) error {
	v := currentUser(c)
	props := views.TokensProps{Page: v.page(c, nil), Clients: views.ClientsProps{Name: web.FormValue(c, "name")}}
	name, problem := webhook.CheckName(props.Clients.Name)
	if !problem.IsZero() {
		props.Clients.Problems = webhook.Invalid{"name": problem}
		return pg.showTokens(c, http.StatusUnprocessableEntity, props)
	}
	secret, hash := auth.NewClientSecret()
	client, err := pg.Store.AddClient(c.UserContext(), webhook.Client{Account: v.Account.ID, Name: name}, hash, v.change())
	if props.Clients.Problems, err = pg.refused(err, "name"); err != nil {
		return err
	}
	if len(props.Clients.Problems) > 0 {
		return pg.showTokens(c, http.StatusUnprocessableEntity, props)
	}
	props.Clients = views.ClientsProps{New: &views.NewClient{Client: client, Secret: secret}}
	return pg.showTokens(c, http.StatusCreated, props)
}

// RevokeClient revokes a client and its access tokens.
func (pg *Pages) RevokeClient(c *fiber.Ctx) error {
	v := currentUser(c)
	id, err := web.IDParam[webhook.ClientID](c)
	if err != nil {
		return err
	}
	if err := pg.Store.RevokeClient(c.UserContext(), v.Account.ID, id, v.change()); err != nil {
		return err
	}
	return pg.done(c, "/settings/tokens", webhook.NewMessage("client.revoked"))
}
