package handlers_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/handlers"
	"bookhook/platforms/all"
	"bookhook/replay"
	"bookhook/webhook"
)

// replays uses bulk replays, with a webhook that is off: they wait, and run until they
// are cancelled. It returns one of them.
func (a *apiSite) replays(t *testing.T) string {
	t.Helper()
	missed := `{"events":{"type":"cancelled"},"webhook_id":"` + a.hookThatIsOff(t) + `"`
	plan := a.call(t, 200, "POST", "/api/v1/replays", missed+`,"dry_run":true}`)
	if plan["deliveries"].(float64) < 1 || plan["webhooks"] != 1.0 || plan["estimated_seconds"].(float64) < 1 {
		t.Errorf("got %v, want what the webhook missed", plan)
	}
	if skipped := plan["skipped"].(map[string]any); len(skipped) != 2 {
		t.Errorf("got %v, want what is left out", skipped)
	}
	first := ""
	for range webhook.MaxReplays {
		started := a.call(t, 202, "POST", "/api/v1/replays", missed+`}`)
		if first == "" {
			first = started["id"].(string)
		}
		if started["state"] != "running" || started["total"] != plan["deliveries"] || started["created_by"] != "API token till" {
			t.Errorf("got %v", started)
		}
	}
	full := a.call(t, 409, "POST", "/api/v1/replays", missed+`}`)
	if full["type"] != "replay-limit" || !strings.Contains(full["detail"].(string), fmt.Sprint(webhook.MaxReplays)) {
		t.Errorf("got %v, want the limit", full)
	}
	page := a.call(t, 200, "GET", "/api/v1/replays?limit=15", "")
	rest := a.call(t, 200, "GET", "/api/v1/replays?limit=15&cursor="+page["next_cursor"].(string), "")
	if got := len(page["items"].([]any)) + len(rest["items"].([]any)); got != webhook.MaxReplays || rest["next_cursor"] != "" {
		t.Errorf("got %d replays on two pages, the last with next %q", got, rest["next_cursor"])
	}
	a.call(t, 200, "GET", "/api/v1/deliveries?state=failed&replay_id="+first, "")
	for _, state := range []string{"running", "cancelled"} {
		if shown := a.call(t, 200, "GET", "/api/v1/replays/"+first, ""); shown["state"] != state || (shown["finished_at"] == nil) != (state == "running") {
			t.Errorf("got %v, want it %s", shown, state)
		}
		if state == "running" {
			a.call(t, 200, "POST", "/api/v1/replays/"+first+"/cancel", "{}")
		}
	}
	ended := a.call(t, 409, "POST", "/api/v1/replays/"+first+"/cancel", "")
	if ended["type"] != "replay-ended" {
		t.Errorf("got %v", ended)
	}
	return first
}

// stalledPlan is a store whose planning of replays waits.
type stalledPlan struct {
	*db.Store
	asked, goOn chan struct{}
}

func (s stalledPlan) Candidates(ctx context.Context, account webhook.AccountID, r webhook.ReplayRequest, before webhook.DeliveryID) (webhook.Page[webhook.Candidate, webhook.DeliveryID], error) {
	s.asked <- struct{}{}
	<-s.goOn
	return s.Store.Candidates(ctx, account, r, before)
}

// plansAtOnce has two replays of the account planned: the third is refused.
func (a *apiSite) plansAtOnce(t *testing.T) {
	slow := stalledPlan{a.store.Store, make(chan struct{}), make(chan struct{})}
	planner := replay.New(slow, all.Platforms())
	app := a.with(t, func(o *handlers.Options) { o.Planner = planner })
	ended := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := planner.Count(t.Context(), a.account, webhook.ReplayRequest{}, time.Now())
			ended <- err
		}()
		<-slow.asked
	}
	for _, dry := range []string{"true", "false"} {
		a.rawOf(t, app, 429, a.request("POST", "/api/v1/replays", `{"deliveries":{},"dry_run":`+dry+`}`))
	}
	close(slow.goOn)
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// TestReplayRefused: each field that is wrong is named.
func TestReplayRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	hook := a.hook(t, "Accounting", "")
	theirs := a.call(t, 202, "POST", "/api/v1/replays", `{"deliveries":{}}`, as(a.other))["id"].(string)
	for body, fields := range map[string][]string{
		`{}`:                            {"deliveries"},
		`{"deliveries":{},"events":{}}`: {"events"},
		`{"deliveries":{},"matching":true,"webhook_id":"` + hook + `"}`: {"matching", "webhook_id"},
		`{"events":{}}`: {"webhook_id"},
		`{"events":{"booking_id":"1","state":"failed"},"webhook_id":"` + hook + `"}`:                                {"events.booking_id", "events.state"},
		`{"events":{},"webhook_id":"whk_0000000000002"}`:                                                            {"webhook_id"},
		`{"deliveries":{"replay_id":"` + theirs + `"}}`:                                                             {"deliveries.replay_id"},
		`{"deliveries":{"state":"","type":"nothing","webhook_id":"x","since":"now","ids":[]}}`:                      {"deliveries.ids", "deliveries.since", "deliveries.state", "deliveries.type", "deliveries.webhook_id"},
		`{"deliveries":{},"only":"some","departed":"maybe","rate_limit":{"requests":0,"per":"minute"},"dry_run":1}`: {"departed", "dry_run", "only"},
		`{"deliveries":{},"rate_limit":{"requests":1001,"per":"minute"}}`:                                           {"rate_limit"},
	} {
		problem := a.call(t, 422, "POST", "/api/v1/replays", body)
		if got := slices.Sorted(maps.Keys(problems(problem))); !slices.Equal(got, fields) {
			t.Errorf("%s: got %v, want %v", body, got, fields)
		}
	}
}

// TestReplayOfAnother: what another account has is neither counted nor sent.
func TestReplayOfAnother(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.hook(t, "Accounting", `,"enabled":true`)
	a.call(t, 202, "POST", "/api/v1/events", `{"type":"cancelled","booking_id":"1"}`)
	for token, want := range map[string]float64{a.token: 1, a.other: 0} {
		if plan := a.call(t, 200, "POST", "/api/v1/replays", `{"deliveries":{},"dry_run":true}`, as(token)); plan["deliveries"] != want {
			t.Errorf("got %v, want %v", plan, want)
		}
	}
}
