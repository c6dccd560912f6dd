package handlers_test

import (
	"bytes"
	"io"
	"log/slog"

	"bookhook/db"
	"bookhook/handlers"
	"bookhook/handlers/api"
	"bookhook/handlers/pages"
	"bookhook/platforms"
)

// options are the application on a database and a dispatcher, with all platforms.
func options(s *db.Store, d handlers.Dispatcher, log io.Writer) handlers.Options {
	return handlers.Options{
		Store: handlers.Store{
			API:     api.Store{AccountStore: s, DeliveryStore: s, EventStore: s, ItemStore: s, WebhookStore: s},
			Inbound: s,
			Pages: pages.Store{
				AccountStore: s, ClientStore: s, DeliveryStore: s, DraftStore: s, EventStore: s, ItemStore: s, LoginStore: s,
				PlatformStore: s, SettingsStore: s, TokenStore: s, UserStore: s, WebhookStore: s, WizardStore: s,
			},
			Prio: s, Sessions: s, Tokens: s, Health: s,
		},
		Dispatcher: d, Platforms: platforms.All(), Version: "1.2.3", CookieKey: bytes.Repeat([]byte("k"), 32),
		Log: slog.New(slog.NewTextHandler(log, nil)), MaxAttempts: 1,
	}
}
