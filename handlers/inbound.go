package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/platforms"
	"bookhook/webhook"
)

// inboundPath is what the addresses begin with to which platforms send.
const inboundPath = "/in/"

// inboundPrefix stands before the external id of what a platform sent.
const inboundPrefix = "in:"

// receive takes what a booking platform sends to an account's address: 200 when
// it is on disk, now or since it came before. What cannot be read goes into the
// account's list, and is answered with what is wrong. Where the platform asks
// before it confirms a booking, the account's inline webhook is asked first; a
// booking that it refuses is told to nobody. Who has no address learns
// nothing: whatever is wrong with theirs, by whatever method, it is not there.
func (a *app) receive(c *fiber.Ctx) error {
	a.chunked.take(c)
	p, connection, err := a.addressed(c.UserContext(), c.Path())
	if err != nil {
		return err
	}
	in := inbound(c, connection)
	in.Body = c.BodyRaw()
	if !slices.Contains(p.Methods, in.Method) {
		return a.refuseMethod(c, p, connection, in)
	}
	n, err := readNotification(p, connection, in)
	var answer *webhook.Answer
	if err == nil {
		answer, err = a.askInbound(c.UserContext(), connection.Account, in, n.Event)
	}
	if answer != nil && !answer.Accepted {
		a.noteReceived(c, connection)
		return refuseBooking(c, answer)
	}
	var id webhook.ID
	if err == nil {
		id, err = a.keepNotification(c.UserContext(), connection.Account, n)
	}
	if why, ok := errors.AsType[webhook.Unreadable](err); ok {
		return a.refuse(c, connection, in, why)
	}
	if err != nil {
		return err
	}
	a.noteReceived(c, connection)
	if answer != nil {
		return passOn(c, answer)
	}
	return sendJSON(c, http.StatusOK, fiber.Map{"id": id.Text(webhook.EventPrefix)})
}

// addressed finds whose address a path is.
func (a *app) addressed(ctx context.Context, path string) (platforms.Platform, webhook.Connection, error) {
	key, token, _ := strings.Cut(strings.TrimPrefix(path, inboundPath), "/")
	p, known := a.Platforms.Get(key)
	if !known {
		return p, webhook.Connection{}, fiber.ErrNotFound
	}
	connection, err := a.Store.ConnectionByToken(ctx, p.Key, token, time.Now())
	if errors.Is(err, webhook.ErrNotFound) {
		err = fiber.ErrNotFound
	}
	return p, connection, err
}

// inbound is a request without its body.
func inbound(c *fiber.Ctx, connection webhook.Connection) webhook.Inbound {
	return webhook.Inbound{
		Method: c.Method(), Query: string(c.Request().URI().QueryString()), ContentType: c.Get(fiber.HeaderContentType),
		Authorization: c.Get(fiber.HeaderAuthorization), Settings: connection.Settings,
	}
}

// refuse keeps what could not be read, and answers why it could not.
func (a *app) refuse(c *fiber.Ctx, connection webhook.Connection, in webhook.Inbound, why webhook.Unreadable) error {
	if why.Status == http.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="Bookhook", charset="UTF-8"`)
	}
	if err := a.keep(c.UserContext(), connection, in, why); err != nil {
		return err // and the platform will send it again
	}
	a.noteReceived(c, connection)
	return why
}

// refuseMethod says by which methods the platform calls. A request that says
// something may be that of another platform, and is kept; one that says nothing
// is of somebody who tries the address.
func (a *app) refuseMethod(c *fiber.Ctx, p platforms.Platform, connection webhook.Connection, in webhook.Inbound) error {
	c.Set(fiber.HeaderAllow, strings.Join(p.Methods, ", "))
	says := fmt.Sprintf("%s calls by %s, and this came by %s. ", p.Name, strings.Join(p.Methods, " or "), in.Method)
	why := webhook.Unreadable{Status: http.StatusMethodNotAllowed, Message: says + "Is the address entered at another platform?"}
	if in.Query == "" && len(in.Body) == 0 {
		why.Message = says + "The address is right; there is nothing to see at it."
		return why
	}
	return a.refuse(c, connection, in, why)
}

// notification is what a platform sent, as an event.
type notification struct {
	webhook.Event
	identity string // the platform's own; "" when it has none
	before   string // the external id under which the same may have come before; "" for no other
}

func readNotification(p platforms.Platform, connection webhook.Connection, in webhook.Inbound) (notification, error) {
	r, err := p.Read(in)
	if err != nil {
		return notification{}, err
	}
	n := notification{Event: r.Event, identity: r.Identity}
	n.Platform, n.Inbound = p.Key, true
	n.Lookup = p.Lookup != nil && p.Lookup.Wanted(connection.Settings, n.Event)
	n.ExternalID, n.before = inboundID(p.Key, r, in, time.Now())
	return n, n.CheckRefs()
}

// keepNotification stores what a platform sent and starts its deliveries, once
// for each notification, however often it comes.
func (a *app) keepNotification(ctx context.Context, account webhook.ID, n notification) (webhook.ID, error) {
	if n.before != "" {
		id, err := a.Store.EventID(ctx, account, n.before)
		if !errors.Is(err, webhook.ErrNotFound) {
			return id, err
		}
	}
	accepted, err := a.Dispatcher.Ingest(ctx, account, []webhook.Event{n.Event})
	switch _, conflict := errors.AsType[webhook.IDConflict](err); {
	case conflict && n.identity == "": // the same bytes, which an earlier Bookhook read otherwise
		return a.Store.EventID(ctx, account, n.ExternalID)
	case conflict:
		return 0, webhook.Unreadable{Status: http.StatusConflict, Message: fmt.Sprintf(
			"A notification with the id %q came in before with other content. That one stands; this one was told to nobody.", echo(n.identity))}
	case err != nil:
		return 0, err
	}
	return accepted[0].Event.ID, nil
}

// inboundID is the external id of what a platform sent: the same notification
// has the same. Where that counts only for some time, the id has the number of
// the present stretch of that length, and before is the id that it had in the
// stretch before; so the same is a redelivery for at least Within and less than
// twice that.
func inboundID(platform string, r webhook.Reading, in webhook.Inbound, now time.Time) (id, before string) {
	id = inboundPrefix + platform + ":" + r.Identity
	if r.Identity == "" || checkEventID(id+":0123456789") != "" {
		id = inboundPrefix + platform + ":" + fingerprint(r.Identity, in)
	}
	if r.Within == 0 {
		return id, ""
	}
	stretch := now.UnixNano() / int64(r.Within)
	return id + ":" + strconv.FormatInt(stretch, 10), id + ":" + strconv.FormatInt(stretch-1, 10)
}

// fingerprint is the identity of a notification that has none of its own, or
// one that is no id: the identity, or else all that came.
func fingerprint(identity string, in webhook.Inbound) string {
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

// noteReceived writes down that something came in. That it cannot is no reason
// to refuse what is on disk.
func (a *app) noteReceived(c *fiber.Ctx, connection webhook.Connection) {
	if err := a.Store.Received(c.UserContext(), connection, time.Now()); err != nil {
		a.Log.Warn("it was not noted that a platform sent something", "request_id", requestID(c), "platform", connection.Platform, "error", err)
	}
}
