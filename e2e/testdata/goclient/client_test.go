// Package client tries the client that oapi-codegen generates from openapi.json: the tests of the folder e2e copy this
// folder, generate client.go, and run this against a Bookhook.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"strings"
	"testing"
	"time"
)

var (
	address      = flag.String("url", "", "where Bookhook is")
	token        = flag.String("token", "", "of the API")
	receiver     = flag.String("receiver", "", "what webhooks call")
	clientID     = flag.String("client-id", "", "of a client of Prioticket's API")
	clientSecret = flag.String("client-secret", "", "of it")
)

// with is a client that sends these credentials.
func with(t *testing.T, credentials func(*http.Request)) *ClientWithResponses {
	t.Helper()
	c, err := NewClientWithResponses(*address, WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		credentials(r)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// response is what the generated responses have in common.
type response interface{ StatusCode() int }

// ok returns a response that must have this status.
func ok[R response](t *testing.T, want int) func(R, error) R {
	t.Helper()
	return func(r R, err error) R {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if got := r.StatusCode(); got != want {
			text, _ := json.Marshal(r)
			t.Fatalf("got %d, want %d: %s", got, want, text)
		}
		return r
	}
}

// body is a request body of the generated type, from JSON without members that the type lacks.
func body[B any](t *testing.T, text string) (b B) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAccountAndLists(t *testing.T) {
	c, ctx := with(t, bearer(*token)), t.Context()
	ok[*ShowOpenAPIResponse](t, 200)(c.ShowOpenAPIWithResponse(ctx))
	if a := ok[*ShowAccountResponse](t, 200)(c.ShowAccountWithResponse(ctx)).JSON200; a.Number != 4069 || a.WebhookLimit != 10 {
		t.Errorf("got %+v", a)
	}
	channels := body[PutChannelsJSONRequestBody](t, `{"items":[{"id":"3930","name":"Website"},{"id":7,"name":"Shop"}]}`)
	if put := ok[*PutChannelsResponse](t, 200)(c.PutChannelsWithResponse(ctx, channels)).JSON200; put.Added != 2 {
		t.Errorf("got %+v", put)
	}
	ok[*PutToursResponse](t, 200)(c.PutToursWithResponse(ctx, body[PutToursJSONRequestBody](t, `{"items":[{"id":"15","name":"Night walk"}]}`)))
	page := ok[*ListChannelsResponse](t, 200)(c.ListChannelsWithResponse(ctx, &ListChannelsParams{Limit: new(1)})).JSON200
	if len(page.Items) != 1 || page.Items[0].Id != "3930" || page.Items[0].RetiredAt != nil || page.NextCursor == "" {
		t.Errorf("got %+v", page)
	}
	if tours := ok[*ListToursResponse](t, 200)(c.ListToursWithResponse(ctx, &ListToursParams{})).JSON200; tours.Items[0].Name != "Night walk" {
		t.Errorf("got %+v", tours)
	}
	refused, err := c.PutToursWithResponse(ctx, PutToursJSONRequestBody{})
	if err != nil || refused.ApplicationproblemJSON422 == nil || (*refused.ApplicationproblemJSON422.Errors)["items"] == "" {
		t.Errorf("got %+v, %v, want a problem that names items", refused, err)
	}
}

func TestEventsAndDeliveries(t *testing.T) {
	c, ctx := with(t, bearer(*token)), t.Context()
	made := ok[*AddWebhookResponse](t, 201)(c.AddWebhookWithResponse(ctx, AddWebhookJSONRequestBody{
		Name: "Accounting", Url: *receiver, Events: []EventKey{"*"}, Concurrency: new(2), RateLimit: &RateLimit{Requests: 60, Per: "minute"},
	})).JSON201
	if made.Secret == "" || made.TimeLimit != nil || made.RateLimit.Requests != 60 {
		t.Errorf("got %+v", made)
	}
	if hooks := ok[*ListWebhooksResponse](t, 200)(c.ListWebhooksWithResponse(ctx, &ListWebhooksParams{})).JSON200.Items; hooks[0].Id != made.Id {
		t.Errorf("got %+v", hooks)
	}
	if shown := ok[*ShowWebhookResponse](t, 200)(c.ShowWebhookWithResponse(ctx, made.Id)).JSON200; shown.Waiting.Count != 0 || shown.FailingSince != nil {
		t.Errorf("got %+v", shown)
	}
	changed := ok[*ChangeWebhookResponse](t, 200)(c.ChangeWebhookWithResponse(ctx, made.Id, ChangeWebhookJSONRequestBody{Name: new("Books")})).JSON200
	if changed.Name != "Books" || changed.Concurrency != 2 {
		t.Errorf("got %+v", changed)
	}
	test := ok[*TestWebhookResponse](t, 202)(c.TestWebhookWithResponse(ctx, made.Id, TestWebhookJSONRequestBody{})).JSON202
	if !test.Test || test.WebhookId != made.Id {
		t.Errorf("got %+v", test)
	}
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	event := body[AddEventJSONRequestBody](t, `{"type":"cancelled","booking_id":1234,"tour_ids":["15"],"data":{"any":"json"}}`)
	event.OccurredAt = &at
	accepted := ok[*AddEventResponse](t, 202)(c.AddEventWithResponse(ctx, &AddEventParams{IdempotencyKey: new("go-1")}, event)).JSON202
	again := ok[*AddEventResponse](t, 200)(c.AddEventWithResponse(ctx, &AddEventParams{IdempotencyKey: new("go-1")}, event)).JSON200
	if again.Id != accepted.Id || len(accepted.Deliveries) != 1 {
		t.Errorf("got %+v, and again %+v", accepted, again)
	}
	batch := body[AddEventsJSONRequestBody](t, `{"events":[{"type":"cancelled"},{"type":"token_success","id":7}]}`)
	if items := ok[*AddEventsResponse](t, 202)(c.AddEventsWithResponse(ctx, batch)).JSON202.Items; len(items) != 2 || items[0].Status != "accepted" {
		t.Errorf("got %+v", items)
	}
	listed := ok[*ListEventsResponse](t, 200)(c.ListEventsWithResponse(ctx, &ListEventsParams{BookingId: new("1234"), Since: &at})).JSON200
	if len(listed.Items) != 1 || !listed.Items[0].OccurredAt.Equal(at) {
		t.Errorf("got %+v", listed)
	}
	if export := ok[*ExportEventsResponse](t, 200)(c.ExportEventsWithResponse(ctx, &ExportEventsParams{BookingId: new("1234"), TourId: new("15")})).Body; bytes.Count(export, []byte("\r\n")) != 2 {
		t.Errorf("got %s", export)
	}
	if export := ok[*ExportDeliveriesResponse](t, 200)(c.ExportDeliveriesWithResponse(ctx, &ExportDeliveriesParams{BookingId: new("1234")})).Body; bytes.Count(export, []byte("\r\n")) != 2 {
		t.Errorf("got %s", export)
	}
	if shown := ok[*ShowEventResponse](t, 200)(c.ShowEventWithResponse(ctx, accepted.Id)).JSON200; shown.ExternalId != "go-1" || shown.TourIds[0] != "15" {
		t.Errorf("got %+v", shown)
	}
	booking := ok[*ShowBookingResponse](t, 200)(c.ShowBookingWithResponse(ctx, "1234", nil)).JSON200
	if e := booking.Events[0]; e.Id != accepted.Id || len(e.Decisions) != 1 || len(e.Changes) != 0 || e.Deliveries[0].Id != accepted.Deliveries[0].Id {
		t.Errorf("got %+v", booking)
	}
	c.deliveries(t, accepted.Deliveries[0].Id, made.Id)
	c.stats(t, made.Id)
	c.replays(t, made.Id)
	later := ok[*AddWebhookResponse](t, 201)(c.AddWebhookWithResponse(ctx, AddWebhookJSONRequestBody{Name: "Later", Url: *receiver, Events: []EventKey{"*"}})).JSON201
	if sent := ok[*SendEventResponse](t, 202)(c.SendEventWithResponse(ctx, accepted.Id, SendEventJSONRequestBody{WebhookId: later.Id})).JSON202; sent.Id == "" {
		t.Errorf("got %+v, want the delivery", sent)
	}
	ok[*DeleteWebhookResponse](t, 204)(c.DeleteWebhookWithResponse(ctx, later.Id))
	ok[*DeleteWebhookResponse](t, 204)(c.DeleteWebhookWithResponse(ctx, made.Id))
}

// deliveries waits until the delivery is finished, and sends it again.
func (c *ClientWithResponses) deliveries(t *testing.T, id, webhook string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		shown := ok[*ShowDeliveryResponse](t, 200)(c.ShowDeliveryWithResponse(ctx, id)).JSON200
		if shown.FinishedAt == nil {
			continue
		}
		attempt, err := shown.Attempts[0].AsAttempt()
		if err != nil || attempt.Status == nil || *attempt.Status != 200 || shown.WaitsFor != nil {
			t.Errorf("got %+v with %+v, %v", shown, attempt, err)
		}
		break
	}
	state := State("delivered")
	if list := ok[*ListDeliveriesResponse](t, 200)(c.ListDeliveriesWithResponse(ctx, &ListDeliveriesParams{State: &state, WebhookId: &webhook})).JSON200; len(list.Items) == 0 {
		t.Error("nothing is listed as delivered")
	}
	if again := ok[*ReplayDeliveryResponse](t, 202)(c.ReplayDeliveryWithResponse(ctx, id, ReplayDeliveryJSONRequestBody{})).JSON202; again.State != "pending" {
		t.Errorf("got %+v", again)
	}
}

// replays counts what a replay would send, and starts and cancels one, unless it was done by then.
func (c *ClientWithResponses) replays(t *testing.T, hook string) {
	t.Helper()
	ctx := t.Context()
	input := func(more string) AddReplayJSONRequestBody {
		return body[AddReplayJSONRequestBody](t, `{"deliveries":{"webhook_id":"`+hook+`"},"only":"all","rate_limit":{"requests":1,"per":"minute"}`+more+`}`)
	}
	plan := ok[*AddReplayResponse](t, 200)(c.AddReplayWithResponse(ctx, input(`,"dry_run":true`))).JSON200
	made := ok[*AddReplayResponse](t, 202)(c.AddReplayWithResponse(ctx, input(""))).JSON202
	if plan.Deliveries < 2 || made.Total != plan.Deliveries {
		t.Errorf("got %+v, and then %+v", plan, made)
	}
	if list := ok[*ListReplaysResponse](t, 200)(c.ListReplaysWithResponse(ctx, &ListReplaysParams{})).JSON200.Items; list[0].Id != made.Id {
		t.Errorf("got %+v", list)
	}
	if shown := ok[*ShowReplayResponse](t, 200)(c.ShowReplayWithResponse(ctx, made.Id)).JSON200; shown.State != "running" {
		t.Errorf("got %+v", shown)
	}
	if ended := ok[*CancelReplayResponse](t, 200)(c.CancelReplayWithResponse(ctx, made.Id, CancelReplayJSONRequestBody{})).JSON200; ended.State != "cancelled" {
		t.Errorf("got %+v", ended)
	}
}

// stats reads what was delivered; tests are not counted.
func (c *ClientWithResponses) stats(t *testing.T, hook string) {
	t.Helper()
	period := ShowWebhookStatsParamsPeriod("30d")
	own := ok[*ShowWebhookStatsResponse](t, 200)(c.ShowWebhookStatsWithResponse(t.Context(), hook, &ShowWebhookStatsParams{Period: &period})).JSON200
	if len(own.Buckets) != 30 || own.Buckets[29].Delivered == 0 || len(own.Reasons) != 0 {
		t.Errorf("got %+v", own)
	}
	if all := ok[*ShowStatsResponse](t, 200)(c.ShowStatsWithResponse(t.Context(), &ShowStatsParams{})).JSON200; len(all.Buckets) != 24 {
		t.Errorf("got %+v", all)
	}
}

func TestInline(t *testing.T) {
	c := with(t, bearer(*token))
	call := body[AskInlineJSONRequestBody](t, `{"type":"new_temporary_web","booking_id":"1234"}`)
	if verdict := ok[*AskInlineResponse](t, 200)(c.AskInlineWithResponse(t.Context(), &AskInlineParams{}, call)).JSON200; !verdict.Accepted || verdict.WebhookId != nil {
		t.Errorf("got %+v, want it accepted, and nobody asked", verdict)
	}
}

func TestPrioticket(t *testing.T) {
	ctx := t.Context()
	client := with(t, func(r *http.Request) { r.SetBasicAuth(*clientID, *clientSecret) })
	form := PrioTokenFormdataRequestBody{GrantType: "client_credentials"}
	granted := ok[*PrioTokenResponse](t, 200)(client.PrioTokenWithFormdataBodyWithResponse(ctx, form)).JSON200
	c := with(t, bearer(granted.AccessToken))
	input := body[PrioAddWebhookJSONRequestBody](t, `{"data":{"webhook":{"webhook_events":["ORDER_CREATE"],"webhook_url":"`+*receiver+`"}}}`)
	made := ok[*PrioAddWebhookResponse](t, 201)(c.PrioAddWebhookWithResponse(ctx, input)).JSON201.Data.Webhook
	if items := ok[*PrioListWebhooksResponse](t, 200)(c.PrioListWebhooksWithResponse(ctx, &PrioListWebhooksParams{})).JSON200.Data.Items; items[0].WebhookId != made.WebhookId {
		t.Errorf("got %+v, want %+v", items, made)
	}
	notification := body[PrioNotifyJSONRequestBody](t, `{"data":{"notification":{"notification_event":"ORDER_CREATE","notification_item_id":"1"}}}`)
	ok[*PrioNotifyResponse](t, 204)(c.PrioNotifyWithResponse(ctx, notification))
	ok[*PrioDeleteWebhookResponse](t, 204)(c.PrioDeleteWebhookWithResponse(ctx, made.WebhookId.String()))
}
