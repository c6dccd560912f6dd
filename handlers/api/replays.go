package api

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

// ReplayStore is what the API needs of the bulk replays.
type ReplayStore interface {
	BulkReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID) (webhook.Replay, error)
	BulkReplays(ctx context.Context, account webhook.AccountID, before webhook.ReplayID, limit int) ([]webhook.Replay, error)
	CancelReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID, change webhook.Change) (webhook.Replay, error)
}

// Planner plans bulk replays; *replay.Planner is one.
type Planner interface {
	// Count counts what a request would send.
	Count(ctx context.Context, account webhook.Account, r webhook.ReplayRequest, now time.Time) (webhook.ReplayPlan, error)
	// Start plans a request and starts it.
	Start(ctx context.Context, account webhook.Account, r webhook.ReplayRequest, change webhook.Change) (webhook.Replay, error)
}

// AddReplay starts a bulk replay, or with dry_run counts what it would send.
func (a *API) AddReplay(c *fiber.Ctx) error {
	body, err := web.ReadObject(c)
	if err != nil {
		return err
	}
	r := a.readReplay(body)
	dry := false
	web.Field(body, "dry_run", "true or false", &dry)
	if err := body.End(); err != nil {
		return err
	}
	account, err := a.Store.Account(c.UserContext(), currentToken(c).Account)
	if err != nil {
		return err
	}
	if dry {
		plan, err := a.Planner.Count(c.UserContext(), account, r, time.Now())
		if err != nil {
			return err
		}
		return web.SendJSON(c, http.StatusOK, showPlan(plan))
	}
	started, err := a.Planner.Start(c.UserContext(), account, r, byToken(c))
	if err != nil {
		return err
	}
	c.Location("/api/v1/replays/" + started.ID.String())
	return web.SendJSON(c, http.StatusAccepted, showReplay(started))
}

// readReplay reads what is to be sent: deliveries, or events that a webhook never got.
func (a *API) readReplay(o *web.Object) webhook.ReplayRequest {
	r := webhook.ReplayRequest{Departed: true}
	deliveries, events := o.Take("deliveries"), o.Take("events")
	switch {
	case deliveries == nil && events == nil:
		o.Wrong("deliveries", "replay.nothing")
	case deliveries != nil && events != nil:
		o.Wrong("events", "replay.both")
	case deliveries != nil:
		r.Deliveries = a.readReplayedDeliveries(o.Child("deliveries", deliveries))
	default:
		a.readMissedEvents(o, o.Child("events", events), &r)
	}
	r.All = oneOf(o, "only", "newest_per_booking", "all") == "all"
	r.Departed = oneOf(o, "departed", "send", "skip") == "send"
	readRate(o, "rate_limit", &r.Rate)
	return r
}

func (a *API) readReplayedDeliveries(o *web.Object) webhook.DeliveryFilter {
	f := webhook.DeliveryFilter{
		State: readState(o), Booking: o.Ref("booking_id"), Type: a.readEventKey(o),
		Since: o.Time("since"), Until: o.Time("until"),
		Webhook: readID[webhook.WebhookID](o, "webhook_id"), Replay: readID[webhook.ReplayID](o, "replay_id"),
	}
	_ = o.End() // its problems are those of the whole request
	return f
}

func (a *API) readMissedEvents(o, events *web.Object, r *webhook.ReplayRequest) {
	r.Events = &webhook.EventFilter{
		Since: events.Time("since"), Until: events.Time("until"), Type: a.readEventKey(events), Channel: events.Ref("channel_id"),
	}
	_ = events.End()
	r.Webhook = readWebhookID(o)
	r.Matching = true
	web.Field(o, "matching", "true or false", &r.Matching)
}

func readState(o *web.Object) (state webhook.State) {
	given := has(o, "state")
	web.Text(o, "state", &state)
	if given && !slices.Contains(webhook.States, state) {
		o.Wrong("state", "query.one_of", webhook.JoinText(webhook.States, func(s webhook.State) string { return string(s) }))
	}
	return state
}

// oneOf reads one of some texts; the first if it is missing.
func oneOf(o *web.Object, name string, texts ...string) string {
	text := texts[0]
	web.Text(o, name, &text)
	if !slices.Contains(texts, text) {
		o.Wrong(name, "query.one_of", strings.Join(texts, ", "))
	}
	return text
}

// has reports whether a member is given; null is not.
func has(o *web.Object, name string) bool { return o.Has(name) && !o.IsNull(name) }

// readEventKey reads the type of events as webhooks select it.
func (a *API) readEventKey(o *web.Object) (key string) {
	given := has(o, "type")
	web.Text(o, "type", &key)
	if given && !a.Platforms.KnownKey(key) {
		o.Wrong("type", "query.event", webhook.Quote(key, web.MaxQuoted))
	}
	return key
}

// readID reads an id of Bookhook; zero if it is missing.
func readID[I ~int64, P interface {
	*I
	encoding.TextUnmarshaler
	fmt.Stringer
}](o *web.Object, name string,
) (id I) {
	given, text := has(o, name), ""
	web.Text(o, name, &text)
	if !given {
		return 0
	}
	if err := P(&id).UnmarshalText([]byte(text)); err != nil || id == 0 {
		prefix, _, _ := strings.Cut(P(&id).String(), "_")
		o.Wrong(name, "query.id", prefix)
	}
	return id
}

// readWebhookID reads the id of a webhook, which must be there.
func readWebhookID(o *web.Object) webhook.WebhookID {
	id := readID[webhook.WebhookID](o, "webhook_id")
	if id == 0 && !o.IsWrong("webhook_id") {
		o.Wrong("webhook_id", "replay.webhook_missing")
	}
	return id
}

// planJSON is what a bulk replay would send.
type planJSON struct {
	Deliveries int         `json:"deliveries"`
	Bookings   int         `json:"bookings"`
	Webhooks   int         `json:"webhooks"`
	Skipped    leftOutJSON `json:"skipped"`
	Seconds    int64       `json:"estimated_seconds"`
}

type leftOutJSON struct {
	Departed int `json:"departed"`
	Older    int `json:"older_of_booking"`
}

func showPlan(p webhook.ReplayPlan) planJSON {
	return planJSON{p.Deliveries, p.Bookings, p.Webhooks, leftOutJSON{p.Departed, p.Older}, int64(math.Ceil(p.Takes.Seconds()))}
}

// replayJSON is a bulk replay.
type replayJSON struct {
	ID         string              `json:"id"`
	State      webhook.ReplayState `json:"state"`
	Total      int                 `json:"total"`
	Sent       int                 `json:"sent"`
	LeftOut    int                 `json:"left_out"`
	Delivered  int                 `json:"delivered"`
	Failed     int                 `json:"failed"`
	CreatedAt  *time.Time          `json:"created_at"`
	FinishedAt *time.Time          `json:"finished_at"`
	CreatedBy  string              `json:"created_by"`
}

func showReplay(r webhook.Replay) replayJSON {
	return replayJSON{
		r.ID.String(), r.State, r.Total, r.Sent, r.LeftOut, r.Delivered, r.Failed, timeOrNull(r.Created.At), timeOrNull(r.Finished), r.Created.By,
	}
}

// ListReplays lists the bulk replays, the newest first.
func (a *API) ListReplays(c *fiber.Ctx) error {
	q := readQuery(c)
	before := queryID[webhook.ReplayID](q, "cursor")
	if err := q.problems.Err(); err != nil {
		return err
	}
	found, err := a.Store.BulkReplays(c.UserContext(), currentToken(c).Account, before, q.limit+1)
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusOK, listOf(found, q.limit, func(r webhook.Replay) string { return r.ID.String() }, showReplay))
}

// ShowReplay shows a bulk replay.
func (a *API) ShowReplay(c *fiber.Ctx) error {
	id, err := web.IDParam[webhook.ReplayID](c)
	if err != nil {
		return err
	}
	found, err := a.Store.BulkReplay(c.UserContext(), currentToken(c).Account, id)
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusOK, showReplay(found))
}

// CancelReplay stops a bulk replay: what it has not sent yet is not sent.
func (a *API) CancelReplay(c *fiber.Ctx) error {
	id, err := web.IDParam[webhook.ReplayID](c)
	if err != nil {
		return err
	}
	if err := web.ReadNothing(c); err != nil {
		return err
	}
	cancelled, err := a.Store.CancelReplay(c.UserContext(), currentToken(c).Account, id, byToken(c))
	if errors.Is(err, webhook.ErrConflict) {
		return &web.Problem{
			Type: "replay-ended", Title: "The replay is not running", Status: http.StatusConflict, Cause: err,
			Detail: "Only a replay that is running can be cancelled.",
		}
	}
	if err != nil {
		return err
	}
	return web.SendJSON(c, http.StatusOK, showReplay(cancelled))
}
