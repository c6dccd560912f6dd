package demo

import (
	"context"
	"fmt"
	"time"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/webhook"
)

// The sample account.
const (
	accountNumber = 4069
	accountName   = "Tallinn Night Tours"
	email         = "maarja@tallinnnights.example"
	colleague     = "jaan@tallinnnights.example"
)

// Sample is how to sign in to the sample account.
type Sample struct {
	Account  webhook.Account
	Email    string
	Password string
	Token    string // for the JSON API
}

// Seed writes the sample account into an empty database: its two people, channels, tours,
// webhooks to the receivers, one of them off, and a draft.
func Seed(ctx context.Context, store *db.Store, to *Receivers) (Sample, error) {
	s := Sample{Email: email, Password: auth.NewPassword()}
	hash, err := auth.HashPassword(s.Password)
	if err != nil {
		return s, fmt.Errorf("hash the password: %w", err)
	}
	change := webhook.Change{By: email, At: time.Now()}
	s.Account, _, err = store.Setup(ctx,
		webhook.Account{Number: accountNumber, Name: accountName, TimeZone: "Europe/Tallinn", WebhookLimit: webhook.DefaultLimit},
		webhook.User{Email: email, PasswordHash: hash, Role: webhook.RoleAdmin}, change)
	if err != nil {
		return s, fmt.Errorf("create the account: %w", err)
	}
	if err := seedColleague(ctx, store, s.Account.ID, change); err != nil {
		return s, err
	}
	var tokenHash []byte
	s.Token, tokenHash = auth.NewToken()
	token := webhook.Token{Account: s.Account.ID, Name: "Booking system"}
	if _, err := store.AddToken(ctx, token, tokenHash, change); err != nil {
		return s, fmt.Errorf("create the token: %w", err)
	}
	if err := seedItems(ctx, store, s.Account.ID, change); err != nil {
		return s, err
	}
	return s, seedWebhooks(ctx, store, s.Account.ID, to, change)
}

// seedColleague adds somebody whose password nobody knows.
func seedColleague(ctx context.Context, store *db.Store, account webhook.AccountID, change webhook.Change) error {
	hash, err := auth.HashPassword(auth.NewPassword())
	if err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	if _, err := store.AddUser(ctx, webhook.User{Account: account, Email: colleague, PasswordHash: hash, Role: webhook.RoleOperator}, change); err != nil {
		return fmt.Errorf("add the colleague: %w", err)
	}
	return nil
}

func seedItems(ctx context.Context, store *db.Store, account webhook.AccountID, change webhook.Change) error {
	lists := map[webhook.ItemKind][]webhook.Item{webhook.Channels: channels, webhook.Tours: tourItems()}
	for kind, items := range lists {
		if _, _, err := store.PutItems(ctx, account, kind, items, change); err != nil {
			return fmt.Errorf("add the %s: %w", kind, err)
		}
	}
	return nil
}

var (
	everything = webhook.NewFilter(webhook.All, nil)
	resellers  = webhook.NewFilter(webhook.Include, []string{"4102", "4103", "4110", "4127"})
	confirmed  = []string{"new_confirmed_staff", "new_confirmed_web"}
)

// sampleWebhooks returns webhooks that show what can be chosen: both formats, all
// three ways to choose tours, and each of the receivers.
func sampleWebhooks(to *Receivers) []webhook.Config {
	return []webhook.Config{
		{
			Name: "Accounting", URL: to.Healthy + "/accounting", Format: webhook.Standard,
			Events: append([]string{"cancelled", "token_success"}, confirmed...), Channels: everything, Tours: everything,
		},
		{
			Name: "Guide rota", URL: to.Healthy + "/rota?team=night", Format: webhook.Native,
			Events: append([]string{"cancelled"}, confirmed...), Channels: everything, Tours: webhook.NewFilter(webhook.Exclude, boats),
		},
		{
			Name: "Harbour: seats on boats", URL: to.Flaky + "/boats", Format: webhook.Standard,
			AllEvents: true, Channels: everything, Tours: webhook.NewFilter(webhook.Include, boats),
		},
		{
			Name: "Guest messages", URL: to.Flaky + messages, Format: webhook.Standard,
			AllEvents: true, Channels: everything, Tours: everything,
		},
		{
			Name: "Reseller portal", URL: to.Down + "/bookings", Format: webhook.Native,
			Events: append([]string{"cancelled"}, confirmed...), Channels: resellers, Tours: everything,
		},
		{
			Name: "Vouchers", URL: to.Back + "/vouchers", Format: webhook.Standard,
			Events: append([]string{"cancelled"}, confirmed...), Channels: everything, Tours: everything,
		},
		{
			Name: "Old spreadsheet", URL: to.Healthy + "/spreadsheet", Format: webhook.Native,
			AllEvents: true, Channels: everything, Tours: everything,
		},
	}
}

// switchedOff is the name of the sample webhook that is off.
const switchedOff = "Old spreadsheet"

func seedWebhooks(ctx context.Context, store *db.Store, account webhook.AccountID, to *Receivers, change webhook.Change) error {
	for _, config := range sampleWebhooks(to) {
		config.Kind, config.Concurrency, config.Ordered = webhook.Async, webhook.DefaultConcurrency, true
		w := webhook.Webhook{Account: account, Config: config, Enabled: true, Secret: webhook.NewSecret()}
		created, err := store.CreateWebhook(ctx, &w, nil, change)
		if err != nil {
			return fmt.Errorf("create the webhook %s: %w", w.Name, err)
		}
		if w.Name != switchedOff {
			continue
		}
		if _, err := store.SetEnabled(ctx, account, created.ID, false, change); err != nil {
			return fmt.Errorf("switch %s off: %w", w.Name, err)
		}
	}
	return seedDraft(ctx, store, account, to, change.At)
}

// seedDraft adds a webhook that somebody has not finished.
func seedDraft(ctx context.Context, store *db.Store, account webhook.AccountID, to *Receivers, now time.Time) error {
	d := webhook.NewDraft([]string{"redeem_voucher"})
	d.Account, d.Name, d.URL = account, "Thank-you mails", to.Healthy+"/thanks"
	for _, step := range []webhook.Step{webhook.StepType, webhook.StepName, webhook.StepEvents} {
		d.Pass(step)
	}
	if _, err := store.SaveDraft(ctx, d, now); err != nil {
		return fmt.Errorf("create the draft: %w", err)
	}
	return nil
}
