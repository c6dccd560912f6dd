package pages

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/stats"
	"bookhook/views"
	"bookhook/webhook"
)

// ReplayStore is what the pages need of the bulk replays.
type ReplayStore interface {
	BulkReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID) (webhook.Replay, error)
	BulkReplays(ctx context.Context, account webhook.AccountID, before webhook.ReplayID, limit int) ([]webhook.Replay, error)
	CancelReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID, change webhook.Change) (webhook.Replay, error)
	ReplayQueue(ctx context.Context, account webhook.AccountID, id webhook.ReplayID) ([]webhook.WebhookID, error)
}

// Planner plans bulk replays; *replay.Planner is one.
type Planner interface {
	// Count counts what a request would send.
	Count(ctx context.Context, account webhook.Account, r webhook.ReplayRequest, now time.Time) (webhook.ReplayPlan, error)
	// Start plans a request and starts it.
	Start(ctx context.Context, account webhook.Account, r webhook.ReplayRequest, change webhook.Change) (webhook.Replay, error)
}

func replayPath(id webhook.ReplayID) string { return "/replays/" + id.String() }

// ListReplays lists the bulk replays.
func (pg *Pages) ListReplays(c *fiber.Ctx) error {
	before, err := web.IDQuery[webhook.ReplayID](c, "before")
	if err != nil {
		return err
	}
	props := views.ReplaysProps{First: before == 0, Waiting: map[webhook.ReplayID][]*webhook.Webhook{}}
	if props.Rows, err = pg.Store.BulkReplays(c.UserContext(), currentUser(c).Account.ID, before, pageRows+1); err != nil {
		return err
	}
	if len(props.Rows) > pageRows {
		props.Rows = props.Rows[:pageRows]
		props.Older = props.Rows[pageRows-1].ID
	}
	h, err := pg.hooks(c.UserContext(), currentUser(c).Account.ID)
	if err != nil {
		return err
	}
	for _, r := range props.Rows {
		if props.Waiting[r.ID], err = pg.replayWaits(c, r, h); err != nil {
			return err
		}
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Replays(props))
}

// replayForm is a new bulk replay as typed and as understood.
type replayForm struct {
	request  webhook.ReplayRequest
	typed    views.ReplayForm
	problems webhook.Invalid
}

// readReplayForm reads the query of a new bulk replay.
func (pg *Pages) readReplayForm(c *fiber.Ctx, h hooks) (replayForm, error) {
	filter := pg.newFilterReader(currentUser(c), queryOf(c)).deliveries(h)
	fixPeriod(&filter, currentUser(c).Account.Location())
	f := replayForm{problems: filter.problems, typed: views.ReplayForm{
		Filter: filter.typed, Replay: c.Query("replay_id"), Events: c.Query("events") == "1", Unfiltered: c.Query("matching") == "0", Off: c.Query("skipped") == "off",
		All: c.Query("only") == "all", Skip: c.Query("departed") == "skip", Requests: strings.TrimSpace(c.Query("requests")), Per: c.Query("per"),
		WebhookName: h.names[filter.Webhook],
	}}
	f.request = webhook.ReplayRequest{Deliveries: filter.DeliveryFilter, All: f.typed.All, Departed: !f.typed.Skip, Matching: !f.typed.Unfiltered, Off: f.typed.Off}
	if filter.Type != "" {
		f.typed.EventName = pg.eventName(webhook.SplitEventKey(filter.Type))
	}
	f.readReplay()
	f.readTicked(c)
	f.readRate()
	if f.typed.Events {
		f.readEvents(filter.DeliveryFilter)
	}
	return f, pg.readLacking(c, h, &f)
}

// readLacking makes it a request for the bookings that a receiver lacks: everything that
// was sent of them since the period of the comparison began, so that the newest event of
// each is among it.
func (pg *Pages) readLacking(c *fiber.Ctx, h hooks, f *replayForm) error {
	id, err := web.IDQuery[webhook.ReconciliationID](c, "reconciliation_id")
	if err != nil || id == 0 {
		return err
	}
	r, err := pg.Store.Reconciliation(c.UserContext(), currentUser(c).Account.ID, id)
	if err != nil {
		return err
	}
	f.request.Lacking, f.request.IDs, f.request.Events = id, nil, nil
	f.request.Deliveries = webhook.DeliveryFilter{Webhook: r.Webhook, Since: r.Since}
	f.typed.Reconciliation, f.typed.WebhookName, f.typed.NoPeriod = id.String(), h.names[r.Webhook], true
	f.typed.Filter, f.typed.IDs, f.typed.Events, f.typed.Replay = views.DeliveryFilter{}, nil, false, ""
	return nil
}

// fixPeriod replaces a named period by the minute in which it begins, which the form
// shows: between the counts and the start, an hour would go on, and leave out the oldest.
func fixPeriod(f *deliveryFilter, loc *time.Location) {
	if f.typed.Period.Named == "" || f.Since.IsZero() {
		return
	}
	f.Since = f.Since.Truncate(time.Minute)
	f.typed.Period = views.Period{Since: f.Since.In(loc).Format(views.MinuteLayout)}
}

func (f *replayForm) readReplay() {
	if f.typed.Replay == "" {
		return
	}
	id, err := webhook.ParseID[webhook.ReplayID](f.typed.Replay)
	if err != nil {
		f.problems.Add("replay_id", "replay.unknown")
	}
	f.request.Deliveries.Replay = id
}

func (f *replayForm) readTicked(c *fiber.Ctx) {
	for _, value := range c.Context().QueryArgs().PeekMulti("delivery_id") {
		id, err := webhook.ParseID[webhook.DeliveryID](string(value))
		if err != nil || len(f.request.IDs) == webhook.MaxTicked {
			f.problems.Add("delivery_id", "replay.ticked", webhook.MaxTicked)
			return
		}
		f.request.IDs = append(f.request.IDs, id)
		f.typed.IDs = append(f.typed.IDs, id.String())
	}
	if len(f.typed.IDs) > 0 { // whatever filter showed them
		f.request.Deliveries, f.typed.Filter, f.typed.NoPeriod = webhook.DeliveryFilter{}, views.DeliveryFilter{}, true
	}
}

func (f *replayForm) readRate() {
	if f.typed.Requests == "" {
		return
	}
	if f.typed.Per != string(webhook.Second) {
		f.typed.Per = string(webhook.Minute)
	}
	n, err := strconv.Atoi(f.typed.Requests)
	if err != nil || n < 1 || n > webhook.MaxRate {
		f.problems.Add("rate_limit", "rate.requests", webhook.MaxRate)
	}
	f.request.Rate = webhook.Rate{Requests: n, Per: webhook.Period(f.typed.Per)}
}

// readEvents makes it a request for events that a webhook never got.
func (f *replayForm) readEvents(filter webhook.DeliveryFilter) {
	f.request.Webhook, f.request.Deliveries = filter.Webhook, webhook.DeliveryFilter{}
	f.request.Events = &webhook.EventFilter{Type: filter.Type, Since: filter.Since, Until: filter.Until}
	if filter.Webhook == 0 {
		f.problems.Add("webhook_id", "replay.webhook_missing")
	}
}

// NewReplay shows what a bulk replay would send.
func (pg *Pages) NewReplay(c *fiber.Ctx) error {
	h, err := pg.hooks(c.UserContext(), currentUser(c).Account.ID)
	if err != nil {
		return err
	}
	f, err := pg.readReplayForm(c, h)
	if err != nil {
		return err
	}
	return pg.showReplayForm(c, h, f)
}

func (pg *Pages) showReplayForm(c *fiber.Ctx, h hooks, f replayForm) error {
	props := views.ReplayFormProps{Form: f.typed, Problems: f.problems}
	if len(f.problems) == 0 {
		plan, err := pg.Planner.Count(c.UserContext(), currentUser(c).Account, f.request, time.Now())
		if props.Problems, err = pg.refused(err, "since"); err != nil {
			return err
		}
		props.Plan = plan
	}
	for _, w := range h.live {
		if !w.Enabled && (w.ID == f.request.Deliveries.Webhook || w.ID == f.request.Webhook) {
			props.Off = append(props.Off, w.Name)
		}
	}
	var err error
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, formStatus(props.Problems), views.NewReplay(props))
}

// StartReplay starts what NewReplay showed.
func (pg *Pages) StartReplay(c *fiber.Ctx) error {
	v := currentUser(c)
	h, err := pg.hooks(c.UserContext(), v.Account.ID)
	if err != nil {
		return err
	}
	f, err := pg.readReplayForm(c, h)
	if err != nil {
		return err
	}
	if len(f.problems) > 0 {
		return pg.showReplayForm(c, h, f)
	}
	started, err := pg.Planner.Start(c.UserContext(), v.Account, f.request, v.change())
	if f.problems, err = pg.refused(err, "since"); err != nil {
		return err
	}
	if len(f.problems) > 0 {
		return pg.showReplayForm(c, h, f)
	}
	return pg.done(c, replayPath(started.ID), webhook.NewMessage("replay.started"))
}

// ShowReplay shows how far a bulk replay is, and its deliveries.
func (pg *Pages) ShowReplay(c *fiber.Ctx) error {
	id, err := web.IDParam[webhook.ReplayID](c)
	if err != nil {
		return err
	}
	account := currentUser(c).Account.ID
	h, err := pg.hooks(c.UserContext(), account)
	if err != nil {
		return err
	}
	var props views.ReplayProps
	if props.Replay, err = pg.Store.BulkReplay(c.UserContext(), account, id); err != nil {
		return err
	}
	if props.Waiting, err = pg.replayWaits(c, props.Replay, h); err != nil {
		return err
	}
	if props.Pending, err = pg.Store.CountDeliveries(c.UserContext(), account, webhook.DeliveryFilter{Replay: id, State: webhook.Pending}); err != nil {
		return err
	}
	if props.State = webhook.State(c.Query("state")); !slices.Contains(webhook.States, props.State) {
		props.State = ""
	}
	f := webhook.DeliveryFilter{Replay: id, State: props.State, Limit: pageRows}
	if f.Before, err = web.IDQuery[webhook.DeliveryID](c, "before"); err != nil {
		return err
	}
	found, err := pg.Store.Deliveries(c.UserContext(), account, f)
	if err != nil {
		return err
	}
	if props.Rows, err = pg.refreshedRows(c, found.Rows, h); err != nil {
		return err
	}
	props.Older, props.First = found.Next, f.Before == 0
	props.Stopped = found.Next != 0 && len(found.Rows) < pageRows
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Replay(props))
}

// replayWaits returns the webhooks to which a replay that runs still has to send.
func (pg *Pages) replayWaits(c *fiber.Ctx, r webhook.Replay, h hooks) ([]*webhook.Webhook, error) {
	if r.State != webhook.ReplayRunning {
		return nil, nil
	}
	queue, err := pg.Store.ReplayQueue(c.UserContext(), r.Account, r.ID)
	if err != nil {
		return nil, err
	}
	var waits []*webhook.Webhook
	for _, id := range queue {
		if w := h.find(id); w != nil {
			waits = append(waits, w)
		}
	}
	return waits, nil
}

// CancelReplay stops a bulk replay: what it has not sent yet is not sent.
func (pg *Pages) CancelReplay(c *fiber.Ctx) error {
	id, err := web.IDParam[webhook.ReplayID](c)
	if err != nil {
		return err
	}
	v := currentUser(c)
	_, err = pg.Store.CancelReplay(c.UserContext(), v.Account.ID, id, v.change())
	if errors.Is(err, webhook.ErrConflict) {
		return pg.done(c, replayPath(id), webhook.NewMessage("replay.ended"))
	}
	if err != nil {
		return err
	}
	return pg.done(c, replayPath(id), webhook.NewMessage("replay.cancelled"))
}

// failedWeek is how far back a webhook's page counts what failed, if its outage did not
// begin earlier.
const failedWeek = 7 * 24 * time.Hour

// addFailed counts what can be sent again to a webhook.
func (pg *Pages) addFailed(c *fiber.Ctx, props *views.WebhookProps) error {
	loc := currentUser(c).Account.Location()
	since := time.Now().Add(-failedWeek)
	if failing := props.Webhook.FailingSince; !failing.IsZero() && failing.Before(since) {
		since = failing
	}
	props.FailedSince = stats.Midnight(since, loc)
	failed, err := pg.Store.GivenUp(c.UserContext(), props.Webhook.Account, props.Webhook.ID, props.FailedSince)
	props.Failed = failed[props.Webhook.ID]
	return err
}
