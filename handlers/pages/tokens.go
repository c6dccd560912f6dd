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

// TokenStore is what the pages need of the API tokens.
type TokenStore interface {
	AddToken(ctx context.Context, t webhook.Token, hash []byte, change webhook.Change) (webhook.Token, error)
	Tokens(ctx context.Context, account webhook.AccountID) ([]webhook.Token, error)
	RevokeToken(ctx context.Context, account webhook.AccountID, id webhook.TokenID, change webhook.Change) error
}

// ListTokens shows the API tokens and clients of the account.
func (pg *Pages) ListTokens(c *fiber.Ctx) error {
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	return pg.showTokens(c, http.StatusOK, views.TokensProps{Page: page})
}

func (pg *Pages) showTokens(c *fiber.Ctx, status int, props views.TokensProps) (err error) {
	if props.Tokens, err = pg.Store.Tokens(c.UserContext(), currentUser(c).Account.ID); err != nil {
		return err
	}
	if props.Clients.Clients, err = pg.Store.Clients(c.UserContext(), currentUser(c).Account.ID); err != nil {
		return err
	}
	props.BaseURL, props.Event = pg.Server.BaseURL(c), pg.Platforms[0].Events[0].Key
	props.Clients.TokenURL = props.BaseURL + pg.TokenPath
	return render(c, status, views.Tokens(props))
}

// AddToken creates a token, which is shown once, in this response: only its hash is
// stored.
func (pg *Pages) AddToken(c *fiber.Ctx) error {
	v := currentUser(c)
	props := views.TokensProps{Page: v.page(c, nil), Name: web.FormValue(c, "name")}
	name, problem := webhook.CheckName(props.Name)
	if !problem.IsZero() {
		props.Problems = webhook.Invalid{"name": problem}
		return pg.showTokens(c, http.StatusUnprocessableEntity, props)
	}
	text, hash := auth.NewToken()
	_, err := pg.Store.AddToken(c.UserContext(), webhook.Token{Account: v.Account.ID, Name: name}, hash, v.change())
	if props.Problems, err = pg.refused(err, "name"); err != nil {
		return err
	}
	if len(props.Problems) > 0 {
		return pg.showTokens(c, http.StatusUnprocessableEntity, props)
	}
	props.Name, props.New = "", text
	return pg.showTokens(c, http.StatusCreated, props)
}

// RevokeToken revokes an API token; the next request that uses it is refused.
func (pg *Pages) RevokeToken(c *fiber.Ctx) error {
	v := currentUser(c)
	id, err := web.IDParam[webhook.TokenID](c)
	if err != nil {
		return err
	}
	if err := pg.Store.RevokeToken(c.UserContext(), v.Account.ID, id, v.change()); err != nil {
		return err
	}
	pg.Tokens.Purge()
	return pg.done(c, "/settings/tokens", webhook.NewMessage("token.revoked"))
}
