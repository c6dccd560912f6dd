package handlers

import (
	"context"
	"time"

	"bookhook/webhook"
)

// Store is what the handlers need of the database; *db.Store is one. Methods
// that take an account answer webhook.ErrNotFound for what belongs to another.
type Store interface {
	Ping(ctx context.Context) error
	accountStore
	userStore
	tokenStore
	clientStore
	itemStore
	draftStore
	webhookStore
	connectionStore
	logStore
}

type accountStore interface {
	Setup(ctx context.Context, a webhook.Account, u webhook.User) (webhook.Account, webhook.User, error)
	AddAccount(ctx context.Context, a webhook.Account, by string) (webhook.Account, error)
	Account(ctx context.Context, id webhook.ID) (webhook.Account, error)
	Accounts(ctx context.Context) ([]webhook.AccountUse, error)
	UpdateAccount(ctx context.Context, a webhook.Account, by string, now time.Time) error
	SetLimit(ctx context.Context, account webhook.ID, limit int, by string, now time.Time) error
	Audit(ctx context.Context, account, before webhook.ID, limit int) ([]webhook.AuditEntry, error)
}

type userStore interface {
	HasUsers(ctx context.Context) (bool, error)
	AddUser(ctx context.Context, u webhook.User, by string) (webhook.User, error)
	User(ctx context.Context, id webhook.ID) (webhook.User, error)
	UserByEmail(ctx context.Context, email string) (webhook.User, error)
	Users(ctx context.Context, account webhook.ID) ([]webhook.User, error)
	RemoveUser(ctx context.Context, account, id webhook.ID, by string, now time.Time) error
	SetPassword(ctx context.Context, id webhook.ID, passwordHash string, keep []byte, by string, now time.Time) error
	Session(ctx context.Context, hash []byte, now time.Time) (webhook.Session, error)
	AddSession(ctx context.Context, hash, old []byte, v webhook.Session) error
	UpdateSession(ctx context.Context, hash []byte, v webhook.Session) error
	EndSession(ctx context.Context, hash []byte) error
	EndSessions(ctx context.Context, user webhook.ID, keep []byte) error
}

type tokenStore interface {
	AddToken(ctx context.Context, t webhook.Token, hash []byte, by string) (webhook.Token, error)
	Tokens(ctx context.Context, account webhook.ID) ([]webhook.Token, error)
	TokenByHash(ctx context.Context, hash []byte) (webhook.Token, error)
	TokenUsed(ctx context.Context, id webhook.ID, now time.Time) error
	RevokeToken(ctx context.Context, account, id webhook.ID, by string, now time.Time) error
}

type clientStore interface {
	AddClient(ctx context.Context, c webhook.Client, hash []byte, by string) (webhook.Client, error)
	Clients(ctx context.Context, account webhook.ID) ([]webhook.Client, error)
	ClientByID(ctx context.Context, id webhook.ID) (c webhook.Client, hash []byte, err error)
	RevokeClient(ctx context.Context, account, id webhook.ID, by string, now time.Time) error
	AddClientToken(ctx context.Context, client webhook.ID, hash []byte, scope string, expires, now time.Time) error
	ClientToken(ctx context.Context, hash []byte, now time.Time) (webhook.Grant, error)
}

type itemStore interface {
	AllItems(ctx context.Context, account webhook.ID, kind webhook.ItemKind) ([]webhook.Item, error)
	Item(ctx context.Context, account webhook.ID, kind webhook.ItemKind, id string) (webhook.Item, error)
	AddItem(ctx context.Context, account webhook.ID, kind webhook.ItemKind, item webhook.Item, by string, now time.Time) error
	PutItems(ctx context.Context, account webhook.ID, kind webhook.ItemKind, items []webhook.Item, by string, now time.Time) (added, changed int, err error)
	RefreshItems(ctx context.Context, account webhook.ID, kind webhook.ItemKind, items []webhook.Item, by string, now time.Time) (webhook.Refreshed, error)
	RenameItem(ctx context.Context, account webhook.ID, kind webhook.ItemKind, item webhook.Item, by string, now time.Time) error
	RetireItem(ctx context.Context, account webhook.ID, kind webhook.ItemKind, id string, retiredAt time.Time, by string, now time.Time) error
}

type draftStore interface {
	SaveDraft(ctx context.Context, d webhook.Draft, now time.Time) (webhook.Draft, error)
	Draft(ctx context.Context, account, id webhook.ID) (webhook.Draft, error)
	Drafts(ctx context.Context, account webhook.ID) ([]webhook.Draft, error)
	DeleteDraft(ctx context.Context, account, id webhook.ID) error
}

type connectionStore interface {
	Connections(ctx context.Context, account webhook.ID) ([]webhook.Connection, error)
	Connection(ctx context.Context, account webhook.ID, platform string) (webhook.Connection, error)
	ConnectionByToken(ctx context.Context, platform, token string, now time.Time) (webhook.Connection, error)
	SwitchPlatform(ctx context.Context, account webhook.ID, platform string, on bool, by string, now time.Time) (webhook.Connection, error)
	RotateAddress(ctx context.Context, account webhook.ID, platform, by string, now time.Time) (webhook.Connection, error)
	SaveSettings(ctx context.Context, account webhook.ID, platform string, settings webhook.Settings, by string, now time.Time) error
	Received(ctx context.Context, c webhook.Connection, now time.Time) error
	KeepUnrecognised(ctx context.Context, u webhook.Unrecognised, now time.Time) error
	Unrecognised(ctx context.Context, account, before webhook.ID, limit int) ([]webhook.Unrecognised, error)
	CountUnrecognised(ctx context.Context, account webhook.ID) (int, error)
	EventID(ctx context.Context, account webhook.ID, external string) (webhook.ID, error)
}

type webhookStore interface {
	Webhooks(ctx context.Context, account webhook.ID) ([]*webhook.Webhook, error)
	Webhook(ctx context.Context, account, id webhook.ID) (*webhook.Webhook, error)
	WebhookNames(ctx context.Context, account webhook.ID) (map[webhook.ID]string, error)
	Backlog(ctx context.Context, account, id webhook.ID) (webhook.Backlog, error)
	CreateWebhook(ctx context.Context, w *webhook.Webhook, from *webhook.Draft, by string, now time.Time) (*webhook.Webhook, error)
	UpdateWebhook(ctx context.Context, w *webhook.Webhook, base time.Time, from *webhook.Draft, by string, now time.Time) error
	SetEnabled(ctx context.Context, account, id webhook.ID, enabled bool, by string, now time.Time) (before *webhook.Webhook, err error)
	RotateSecret(ctx context.Context, account, id webhook.ID, secret, by string, now time.Time) error
	CheckChannels(ctx context.Context, w *webhook.Webhook) error
	DeleteWebhook(ctx context.Context, account, id webhook.ID, by string, now time.Time) (cancelled int64, err error)
}

type logStore interface {
	Events(ctx context.Context, account webhook.ID, f webhook.EventFilter) (webhook.Page[webhook.EventRow], error)
	CountEvents(ctx context.Context, account webhook.ID, f webhook.EventFilter) (webhook.Count, error)
	Event(ctx context.Context, account, id webhook.ID) (webhook.EventRow, error)
	Deliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (webhook.Page[webhook.DeliveryRow], error)
	CountDeliveries(ctx context.Context, account webhook.ID, f webhook.DeliveryFilter) (webhook.Count, error)
	Delivery(ctx context.Context, account, id webhook.ID) (webhook.Delivery, error)
	WaitsFor(ctx context.Context, account, delivery webhook.ID) (first webhook.ID, err error)
	Attempts(ctx context.Context, account, delivery webhook.ID) ([]webhook.Attempt, error)
	Cancel(ctx context.Context, account, id webhook.ID, by string, now time.Time) error
}

// Dispatcher is what the handlers need of the dispatcher; *dispatch.Dispatcher
// is one.
type Dispatcher interface {
	// Ingest stores events and delivers them; see db.Store.Ingest.
	Ingest(ctx context.Context, account webhook.ID, events []webhook.Event) ([]webhook.Accepted, error)
	// Test sends a test event to one webhook, whatever its filters.
	Test(ctx context.Context, account, id webhook.ID, e webhook.Event) (webhook.Delivery, error)
	// CallInline calls the inline webhook that matches, and waits for its verdict.
	CallInline(ctx context.Context, account webhook.ID, e webhook.Event) (webhook.Answer, error)
	// TestUnsaved sends an event once to a webhook that is not saved; nothing is stored.
	TestUnsaved(ctx context.Context, w *webhook.Webhook, account webhook.Account, e webhook.Event) webhook.Attempt
	// Replay makes a delivery due now.
	Replay(ctx context.Context, account, id webhook.ID, by string) (webhook.Delivery, error)
	// Changed tells that a webhook was changed, switched or deleted.
	Changed(id webhook.ID)
	// Cancelled tells that deliveries of a webhook were cancelled.
	Cancelled(id webhook.ID)
	// Circuit tells how the receiver of a webhook is treated after failures.
	Circuit(id webhook.ID) webhook.Circuit
	// Probe looks whether a URL could be called, without sending a booking.
	Probe(ctx context.Context, url string) webhook.Probe
	// Items asks a platform for an account's channels or tours; an error that is
	// webhook.Unanswered says why they are not to be had.
	Items(ctx context.Context, platform string, settings webhook.Settings, kind webhook.ItemKind) ([]webhook.Item, error)
	// CheckURL says by its text alone why a URL may not be called; "" when it may.
	CheckURL(url string) string
	// Alive reports whether deliveries are being made.
	Alive() bool
}
