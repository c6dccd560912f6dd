package handlers_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"bookhook/accept"
	"bookhook/db"
	"bookhook/handlers"
	"bookhook/handlers/api"
	"bookhook/handlers/pages"
	"bookhook/platforms/all"
	"bookhook/reconcile"
	"bookhook/replay"
	"bookhook/webhook"
)

// options are the application on a database and a dispatcher, with all platforms.
func options(s *db.Store, d handlers.Dispatcher, log io.Writer) handlers.Options {
	return handlers.Options{
		Store: handlers.Store{
			API:     api.Store{AccountStore: s, BookingStore: s, DeliveryStore: s, EventStore: s, ItemStore: s, ReplayStore: s, StatsStore: s, WebhookStore: s},
			Inbound: s,
			Pages: pages.Store{
				AccountStore: s, BookingStore: s, ChangeStore: s, ClientStore: s, DeliveryStore: s, DraftStore: s, EventStore: s, FallbackStore: s, HomeStore: s, InvitationStore: s, ItemStore: s, LinkStore: s, LoginStore: s,
				MailStore: s, NoticeStore: s, PlatformStore: s, ReconcileStore: s, ReplayStore: s, SettingsStore: s, StatsStore: s, TokenStore: s, UserStore: s, ViewStore: s, WebhookStore: s, WizardStore: s,
			},
			Prio: s, Sessions: s, Tokens: s, Health: s,
		},
		Dispatcher: d, Planner: replay.New(s, all.Platforms()), Reconciler: reconcile.New(s), Platforms: all.Platforms(), Support: webhook.DefaultSupport, Instance: instance, Version: "1.2.3", CookieKey: bytes.Repeat([]byte("k"), 32), StopKey: stopKey,
		Log: slog.New(slog.NewTextHandler(log, nil)), MaxAttempts: 1,
	}
}

// stopKey is of the links that end messages.
var stopKey = bytes.Repeat([]byte("s"), 32)

// instance is the Bookhook of the tests.
var instance = webhook.NewInstance([]byte("test"))

// change is a change by nobody in particular, made now.
func change() webhook.Change { return webhook.Change{By: "test", At: time.Now()} }

// insert stores events whose deliveries nobody sends.
func insert(ctx context.Context, s interface {
	Subscriptions(ctx context.Context, account webhook.AccountID) (*webhook.Subscriptions, error)
	Insert(ctx context.Context, p *webhook.Plan) ([]webhook.Accepted, error)
}, account webhook.AccountID, events []webhook.Event,
) ([]webhook.Accepted, error) {
	subscriptions, err := s.Subscriptions(ctx, account)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return s.Insert(ctx, webhook.NewPlan(subscriptions, events, now, now))
}

// uuidOf is the id of a webhook as Prioticket's clients see it: its 63 bits around
// version and variant.
func uuidOf(id webhook.WebhookID) string {
	return fmt.Sprintf("%08x-%04x-8%03x-%02x00-000000000000", int64(id)>>31, int64(id)>>15&0xffff, int64(id)>>3&0xfff, 0x80|int64(id)&7<<3)
}

// accepting listens as serve does.
func accepting(l net.Listener) net.Listener {
	return accept.Wrap(l, accept.Options{Max: 2000, PerAddress: 2000, Log: slog.New(slog.DiscardHandler)})
}
