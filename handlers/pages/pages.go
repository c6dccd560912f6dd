package pages

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/handlers/web"
	"bookhook/live"
	"bookhook/platforms"
	"bookhook/static"
	"bookhook/views"
	"bookhook/webhook"
)

// Store is what the pages need of the database, by noun; *db.Store is all of
// them. Methods that take an account return webhook.ErrNotFound for what belongs
// to another.
type Store struct {
	AccountStore
	BookingStore
	ChangeStore
	ClientStore
	DeliveryStore
	DraftStore
	EventStore
	FallbackStore
	HomeStore
	InvitationStore
	ItemStore
	LinkStore
	LoginStore
	MailStore
	NoticeStore
	PlatformStore
	ReconcileStore
	ReplayStore
	SettingsStore
	StatsStore
	TokenStore
	UserStore
	ViewStore
	WebhookStore
	WizardStore
}

// Dispatcher is what the pages need of the dispatcher; *dispatch.Dispatcher is
// one.
type Dispatcher interface {
	// Test sends a test event to one webhook, whatever its filters.
	Test(ctx context.Context, account webhook.AccountID, id webhook.WebhookID, e webhook.Event) (webhook.Delivery, error)
	// TestUnsaved sends an event once to a webhook that is not saved; nothing is stored.
	TestUnsaved(ctx context.Context, w *webhook.Webhook, account webhook.Account, e webhook.Event) webhook.Attempt
	// Replay sends a delivery again.
	Replay(ctx context.Context, account webhook.AccountID, id webhook.DeliveryID, change webhook.Change) (webhook.Delivery, error)
	// Send sends an event to one webhook, whatever was decided when it came in.
	Send(ctx context.Context, account webhook.AccountID, event webhook.EventID, id webhook.WebhookID, change webhook.Change) (webhook.Delivery, error)
	// Probe checks whether a URL could be called, without sending a booking.
	Probe(ctx context.Context, url string) webhook.Probe
	// Items reads an account's channels or tours from a platform; an error that
	// is platforms.Unanswered says why that failed.
	Items(ctx context.Context, platform string, settings webhook.Settings, kind webhook.ItemKind) ([]webhook.Item, error)
	// CheckURL says why a URL may not be called, judged by its text alone; zero if
	// it may.
	CheckURL(url string) webhook.Message
}

// Options are what the pages need; all are required but Mailer and SetupToken.
type Options struct {
	Store       Store
	Dispatcher  Dispatcher
	Planner     Planner
	Reconciler  Reconciler
	Mailer      Mailer // nil: no e-mail is sent
	StopKey     []byte // of the links in messages that end them; see auth.UnsubscribeToken
	Server      *web.Server
	Live        *live.Hub
	Sessions    *web.Sessions
	Tokens      *auth.Tokens // purged when an API token is revoked
	Platforms   platforms.Registry
	Version     string
	MaxAttempts int    // of a delivery: the length of the retry schedule
	TokenPath   string // of the token endpoint of the Prioticket-compatible API
	SetupToken  string // opens /setup while there is no user; "" keeps it shut
}

// Pages has the handlers of the pages.
type Pages struct {
	Options
	logins  *auth.Limiter
	letters *auth.Limiter // messages that somebody asked for
	people  *auth.Limiter // that somebody adds: it answers whether an address signs in
	hasher  *auth.Hasher
	waiting *webhook.Turns // of responses that wait for a result
}

// New returns the handlers of the pages.
func New(o Options) *Pages {
	return &Pages{Options: o, logins: auth.NewLimiter(o.Store, "sign-in"), letters: auth.NewLimiter(o.Store, "letter"), people: auth.NewLimiter(o.Store, "person"), hasher: auth.NewHasher(), waiting: webhook.NewTurns(maxWaiting, maxWaits)}
}

// problemTimeout is how long the page of a problem may read; the time of its request may
// be over.
const problemTimeout = time.Second

// ShowError shows a problem as a page.
func (pg *Pages) ShowError(c *fiber.Ctx, p *web.Problem) error {
	props := views.ErrorProps{Outside: pg.outside(c), Status: p.Status, Meaning: p.Meaning, Next: p.Next}
	if p.Type != "about:blank" && p.Meaning != "" {
		props.What = p.Title
	}
	if p.Status >= 500 {
		props.RequestID = p.RequestID
	}
	if v, ok := c.Locals(visitorKey).(*visitor); ok {
		page := v.page(c, nil)
		page.Changes = "" // a problem does not follow what happens
		if v.Account.ID != 0 {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), problemTimeout)
			defer cancel()
			page.Attention, _ = pg.Store.Attention(ctx, v.Account.ID) // the database may be the problem
		}
		props.Page = &page
	}
	return render(c, p.Status, views.Error(props))
}

// ShowStatic sends a stylesheet, script or icon. Its name changes with its
// content, so it is cached for a year.
func (pg *Pages) ShowStatic(c *fiber.Ctx) error {
	f, ok := static.Lookup(c.Params("name"))
	if !ok {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	return web.SendBytes(c, f.Type, f.Body)
}

// outside returns what pages that anybody may see share.
func (pg *Pages) outside(c *fiber.Ctx) views.Outside {
	return views.Outside{Theme: theme(c), BaseURL: pg.Server.BaseURL(c)}
}

// page returns what the layout of every page shows.
func (v *visitor) page(c *fiber.Ctx, flash []views.Flash) views.Page {
	return views.Page{
		User: v.User, Account: v.Account, Flash: flash, Theme: theme(c),
		Path: pathOf(c), Location: v.Account.Location(), Now: time.Now(), Changes: changesBefore(c),
	}
}

// pathOf returns the path from which a page can be reloaded. The response to a post
// has the path of the page with the form.
func pathOf(c *fiber.Ctx) string {
	if c.Method() != fiber.MethodPost {
		return c.OriginalURL()
	}
	parts := strings.Split(c.Path(), "/") // the first is empty
	switch {
	case parts[1] == "drafts" && parts[len(parts)-1] == "test":
		return strings.Join(parts[:len(parts)-1], "/") + "/" + string(webhook.StepReview)
	case parts[1] == "views":
		return "/" + web.FormValue(c, "list")
	case parts[1] == "drafts", parts[1] == "reconcile":
		return c.Path()
	case parts[1] == "settings" && len(parts) > 2 && parts[2] == "invitations":
		return "/settings/people"
	case parts[1] == "settings" && len(parts) > 3 && parts[2] == "platforms":
		return platformPath(parts[3])
	case parts[1] == "settings" && len(parts) > 2 && parts[2] != "password", parts[1] == "admin":
		return strings.Join(parts[:3], "/")
	}
	return "/" + parts[1]
}

// page returns the page of the current user with the flash messages, joined to one
// paragraph, and removes them from the session; they are not for a page that is only
// refreshed.
func (pg *Pages) page(c *fiber.Ctx) (page views.Page, err error) {
	var flash []views.Flash
	if !isRefresh(c) {
		if flash, err = pg.takeFlash(c); err != nil {
			return page, err
		}
	}
	page = currentUser(c).page(c, flash)
	if account := currentUser(c).Account.ID; account != 0 {
		page.Attention, err = pg.Store.Attention(c.UserContext(), account)
	}
	return page, err
}

// failures are the messages that say that what a person asked for did not succeed.
var failures = map[string]bool{
	"result.refused": true, "result.no_answer": true, "result.unanswered": true, "test.type": true, "delivery.in_flight": true, "item.not_undone": true, "platform.address_replaced": true, "delivery.webhook_off": true,
}

func (pg *Pages) takeFlash(c *fiber.Ctx) ([]views.Flash, error) {
	s, err := pg.Sessions.Open(c)
	if err != nil {
		return nil, err
	}
	messages := s.TakeFlash()
	if len(messages) == 0 {
		return nil, nil
	}
	var sentences []string
	var flash views.Flash
	for _, message := range messages {
		if message.Code == undoRetire && len(message.Args) == 3 {
			flash.Undo = &views.Undo{List: message.Args[0], ID: message.Args[1], Retired: message.Args[2]}
			continue
		}
		sentences = append(sentences, pg.Platforms.Text(message))
		flash.Failed = flash.Failed || failures[message.Code]
	}
	flash.Text = strings.Join(sentences, " ")
	return []views.Flash{flash}, s.Save(c)
}

// done ends a post that succeeded: it redirects to target, which shows the messages.
func (pg *Pages) done(c *fiber.Ctx, target string, messages ...webhook.Message) error {
	s, err := pg.Sessions.Open(c)
	if err != nil {
		return err
	}
	s.AddFlash(messages...)
	if err := s.Save(c); err != nil {
		return err
	}
	return c.Redirect(target, http.StatusSeeOther)
}

// render renders a page without the deadline of the request, so that the page which
// reports a missed deadline can still be shown.
func render(c *fiber.Ctx, status int, page templ.Component) error {
	if status == http.StatusUnprocessableEntity && isRefresh(c) { // the page says it already; browsers would report a failure
		status = http.StatusOK
	}
	c.Status(status)
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	if err := page.Render(context.WithoutCancel(c.UserContext()), c.Response().BodyWriter()); err != nil {
		return err
	}
	if body := c.Response().Body(); !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0 { // it repeats what somebody typed
		const instead = "\uFFFD"
		c.Response().SetBody(bytes.ToValidUTF8(bytes.ReplaceAll(body, []byte{0}, []byte(instead)), []byte(instead)))
	}
	web.Compress(c)
	return nil
}

// localPath returns the path if it is on this site, and other if not.
func localPath(path, other string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || len(path) < 1 || path[0] != '/' || len(path) > 1 && (path[1] == '/' || path[1] == '\\') {
		return other
	}
	return path
}
