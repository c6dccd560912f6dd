package inbound

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/platforms"
	"bookhook/webhook"
)

// Path is the beginning of the addresses to which platforms send.
const Path = "/in/"

// Store is what the platforms' addresses need of the database; *db.Store is one.
type Store interface {
	// ConnectionByToken returns webhook.ErrNotFound if the token is not that of
	// an address of the platform, or no longer valid at now.
	ConnectionByToken(ctx context.Context, platform, token string, now time.Time) (webhook.Connection, error)
	ConnectionRejected(ctx context.Context, c webhook.Connection, now time.Time) error
	ConnectionUsed(ctx context.Context, c webhook.Connection, named string, now time.Time) error
	AddRejectedRequest(ctx context.Context, r webhook.RejectedRequest, now time.Time) error
	EventID(ctx context.Context, account webhook.AccountID, external string) (webhook.EventID, error)
	Webhooks(ctx context.Context, account webhook.AccountID) ([]*webhook.Webhook, error)
}

// Dispatcher is what the platforms' addresses need of the dispatcher;
// *dispatch.Dispatcher is one.
type Dispatcher interface {
	// Ingest stores events and delivers them; see dispatch.Dispatcher.Ingest.
	Ingest(ctx context.Context, account webhook.AccountID, events []webhook.Event) ([]webhook.Accepted, error)
	// CallInline calls the inline webhook that matches, and waits for its answer.
	CallInline(ctx context.Context, account webhook.AccountID, e webhook.Event) (webhook.InlineCall, error)
}

// Options are what the platforms' addresses need; all are required.
type Options struct {
	Store      Store
	Dispatcher Dispatcher
	Server     *web.Server
	Platforms  platforms.Registry
	Instance   webhook.Instance
	Log        *slog.Logger
}

// Inbound has the handlers of the platforms' addresses.
type Inbound struct {
	Options
	reading turns
}

// New returns the handlers of the platforms' addresses.
func New(o Options) *Inbound { return &Inbound{Options: o} }

// Receive handles a request of a booking platform to an account's address. The
// response is 200 once the event is on disk, also if it was received before. What
// cannot be read is added to the account's list of rejected requests, and the
// response says what is wrong. If the platform asks before it confirms a booking,
// the account's inline webhook is called first; a booking that it refuses is not
// delivered. An event that came back is refused before it is read. An address that is
// wrong in any way is not found, by whatever method, and nothing of a body is received
// before it is known whose it is.
func (ib *Inbound) Receive(c *fiber.Ctx) error {
	p, connection, err := ib.connection(c.UserContext(), c.Path())
	if err != nil {
		return err
	}
	via, err := web.Via(c, ib.Instance, connection.Account)
	if err != nil {
		return err
	}
	in := readInbound(c, connection)
	web.Identify(c, connection.Account)
	if err := ib.Server.TakeBody(c, web.MaxBody); err != nil {
		return ib.rejectBody(c, connection, in, err)
	}
	in.Body = bytes.TrimPrefix(web.BodyOf(c), webhook.ByteOrderMark)
	if !slices.Contains(p.Methods, in.Method) {
		return ib.rejectMethod(c, p, connection, in)
	}
	n, err := ib.read(c.UserContext(), p, connection, in)
	n.Via = via
	var answer *webhook.InlineCall
	if err == nil {
		answer, err = ib.callInline(c.UserContext(), connection.Account, in, n.Event)
	}
	if answer != nil && !answer.Accepted {
		ib.recordReceived(c, connection, n.account)
		return refuseBooking(c, ib.Platforms.Text(answer.Error))
	}
	var id webhook.EventID
	if err == nil {
		id, err = ib.storeNotification(c.UserContext(), connection.Account, n)
	}
	if why, ok := errors.AsType[platforms.Rejected](err); ok {
		return ib.reject(c, connection, in, why)
	}
	if err != nil {
		return err
	}
	ib.recordReceived(c, connection, n.account)
	if answer != nil {
		return sendAnswer(c, answer)
	}
	return web.SendJSON(c, http.StatusOK, fiber.Map{"id": id.String()})
}

// connection finds the platform and the connection to which a path belongs.
func (ib *Inbound) connection(ctx context.Context, path string) (platforms.Platform, webhook.Connection, error) {
	key, token, _ := strings.Cut(strings.TrimPrefix(path, Path), "/")
	p, known := ib.Platforms.Connected(key)
	if !known {
		return p, webhook.Connection{}, fiber.ErrNotFound
	}
	connection, err := ib.Store.ConnectionByToken(ctx, p.Key, token, time.Now())
	if errors.Is(err, webhook.ErrNotFound) {
		err = fiber.ErrNotFound
	}
	return p, connection, err
}

// readInbound returns a request without its body.
func readInbound(c *fiber.Ctx, connection webhook.Connection) platforms.Inbound {
	return platforms.Inbound{
		Method: c.Method(), Query: string(c.Request().URI().QueryString()), ContentType: c.Get(fiber.HeaderContentType),
		Authorization: c.Get(fiber.HeaderAuthorization), Settings: connection.Settings,
	}
}

// reject stores a request that could not be read, and returns the problem.
func (ib *Inbound) reject(c *fiber.Ctx, connection webhook.Connection, in platforms.Inbound, why platforms.Rejected) error {
	if why.Status == http.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="Bookhook", charset="UTF-8"`)
	}
	if err := ib.store(c.UserContext(), connection, in, why); err != nil {
		return err // and the platform will send it again
	}
	ib.recordRejected(c, connection)
	return ib.problem(why)
}

// typeRejected is the type of the problem document about a rejected request. The
// text is part of the API.
const typeRejected = "unrecognised"

func (ib *Inbound) problem(why platforms.Rejected) error {
	return &web.Problem{Type: typeRejected, Title: "Bookhook cannot read this as an event", Status: why.Status, Detail: ib.Platforms.Text(why.Why), Cause: why}
}

// rejectMethod refuses a request by a method that the platform does not use. One
// with a query or a body may be that of another platform, and is stored; one without
// is probably a person who opened the address.
func (ib *Inbound) rejectMethod(c *fiber.Ctx, p platforms.Platform, connection webhook.Connection, in platforms.Inbound) error {
	c.Set(fiber.HeaderAllow, strings.Join(p.Methods, ", "))
	methods := strings.Join(p.Methods, " or ")
	if in.Query == "" && len(in.Body) == 0 {
		return ib.problem(platforms.Rejected{Status: http.StatusMethodNotAllowed, Why: webhook.NewMessage("request.empty", p.Name, methods, in.Method)})
	}
	return ib.reject(c, connection, in, platforms.Rejected{
		Status: http.StatusMethodNotAllowed, Why: webhook.NewMessage("request.method", p.Name, methods, in.Method),
	})
}

// notification is what a platform sent, as an event.
type notification struct {
	webhook.Event
	identity string // the platform's own id of it; "" if there is none
	account  string // the account that it names; "" for none
}

func (ib *Inbound) read(ctx context.Context, p platforms.Platform, connection webhook.Connection, in platforms.Inbound) (notification, error) {
	done, err := ib.reading.take(ctx, connection.Account)
	if err != nil {
		return notification{}, err
	}
	defer done()
	r, err := p.Read(in)
	if err != nil {
		return notification{}, err
	}
	n := notification{Event: r.Event, identity: r.Identity, account: r.Account}
	n.Platform, n.Inbound = p.Key, true
	n.Lookup = p.Lookup != nil && p.Lookup.Wanted(connection.Settings, n.Event)
	n.ExternalID, n.SameIDs = inboundID(p.Key, r, in, time.Now())
	return n, platforms.CheckRefs(n.Event)
}

// storeNotification stores what a platform sent and starts its deliveries, once
// for each notification, however often it is sent.
func (ib *Inbound) storeNotification(ctx context.Context, account webhook.AccountID, n notification) (webhook.EventID, error) {
	accepted, err := ib.Dispatcher.Ingest(ctx, account, []webhook.Event{n.Event})
	switch known, conflict := errors.AsType[webhook.IDConflict](err); {
	case conflict && n.identity == "": // the same bytes, which an earlier version of Bookhook read differently
		return ib.Store.EventID(ctx, account, known.ExternalID)
	case conflict:
		return 0, platforms.Rejected{Status: http.StatusConflict, Why: webhook.NewMessage("request.same_id", webhook.Quote(n.identity, web.MaxQuoted))}
	case err != nil:
		return 0, err
	}
	return accepted[0].Event.ID, nil
}

// inboundID returns the external id of what a platform sent: a redelivery has the
// same one. If the reading limits the time in which it counts as a redelivery
// (Within), time is divided into periods of that length: the id ends in the number
// of the current period; with that of the one before or after it would be the same
// (after: a redelivery can be stored first). So it counts as a redelivery for at
// least Within, and less than twice that.
func inboundID(platform string, r platforms.Reading, in platforms.Inbound, now time.Time) (id string, same []string) {
	id = webhook.InboundPrefix + platform + ":" + r.Identity
	if r.Identity == "" || !webhook.CheckExternalID(id+":0123456789").IsZero() {
		id = webhook.InboundPrefix + platform + ":" + fingerprint(r.Identity, in)
	}
	if r.Within == 0 {
		return id, nil
	}
	period := now.UnixNano() / int64(r.Within)
	of := func(n int64) string { return id + ":" + strconv.FormatInt(n, 10) }
	return of(period), []string{of(period - 1), of(period + 1)}
}

// fingerprint returns a hash that identifies a notification: of its identity, if
// that cannot be part of an id, or of the whole request, if it has none.
func fingerprint(identity string, in platforms.Inbound) string {
	parts := [][]byte{[]byte(identity)}
	if identity == "" {
		parts = [][]byte{[]byte(in.Method), []byte(in.Query), in.Body}
	}
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:", len(part))
		hash.Write(part)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// recordReceived records that the platform sent something, and which account it named.
func (ib *Inbound) recordReceived(c *fiber.Ctx, connection webhook.Connection, named string) {
	ib.recorded(c, connection, ib.Store.ConnectionUsed(c.UserContext(), connection, named, time.Now()))
}

// recordRejected records that the platform sent something that was rejected.
func (ib *Inbound) recordRejected(c *fiber.Ctx, connection webhook.Connection) {
	ib.recorded(c, connection, ib.Store.ConnectionRejected(c.UserContext(), connection, time.Now()))
}

// recorded only logs a failure, since what was sent is on disk.
func (ib *Inbound) recorded(c *fiber.Ctx, connection webhook.Connection, err error) {
	if err != nil {
		ib.Log.Warn("it was not recorded that a platform sent something", "request_id", web.RequestID(c), "platform", connection.Platform, "error", err)
	}
}
