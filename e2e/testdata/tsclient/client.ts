// Tries the types that openapi-typescript generates from openapi.json: the tests of the folder e2e copy this folder,
// generate schema.d.ts, compile this strictly, and run it against a Bookhook.
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

const option = (name: string): string => {
  const value = process.argv.find((a) => a.startsWith(`--${name}=`));
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value.slice(name.length + 3);
};

const client = (authorization: string): Client<paths> =>
  createClient<paths>({ baseUrl: option("url"), headers: { Authorization: authorization } });

// ok returns the data of a response that must have this status.
function ok<T>(want: number, got: { data?: T; error?: unknown; response: Response }): T {
  if (got.response.status !== want) {
    throw new Error(`${got.response.url}: got ${got.response.status}, want ${want}: ${JSON.stringify(got.error ?? got.data)}`);
  }
  return got.data as T;
}

function check(holds: boolean, shown: unknown): void {
  if (!holds) throw new Error(`unexpected: ${JSON.stringify(shown)}`);
}

async function accountAndLists(api: Client<paths>): Promise<void> {
  ok(200, await api.GET("/api/openapi.json"));
  const account = ok(200, await api.GET("/api/v1/account"));
  check(account.number === 4069 && account.webhook_limit === 10, account);
  const put = ok(200, await api.PUT("/api/v1/channels", { body: { items: [{ id: "3930", name: "Website" }, { id: 7, name: "Shop" }] } }));
  check(put.added === 2, put);
  ok(200, await api.PUT("/api/v1/tours", { body: { items: [{ id: "15", name: "Night walk" }] } }));
  const page = ok(200, await api.GET("/api/v1/channels", { params: { query: { limit: 1 } } }));
  check(page.items.length === 1 && page.items[0]?.retired_at === null && page.next_cursor !== "", page);
  const tours: components["schemas"]["Item"][] = ok(200, await api.GET("/api/v1/tours")).items;
  check(tours[0]?.name === "Night walk", tours);

  const { error } = await api.POST("/api/v1/events", { body: { type: "cancelled", occurred_at: "" } });
  check(error?.status === 422 && error.errors?.["occurred_at"] !== undefined, error);
}

async function events(api: Client<paths>, webhook: string): Promise<void> {
  const event: components["schemas"]["EventInput"] = {
    type: "cancelled", booking_id: 1234, tour_ids: ["15"], occurred_at: "2026-11-21T09:00:00Z", channel_id: null, data: { any: "json" },
  };
  const params = { header: { "Idempotency-Key": "ts-1" } };
  const accepted = ok(202, await api.POST("/api/v1/events", { params, body: event }));
  const again = ok(200, await api.POST("/api/v1/events", { params, body: event }));
  check(again.id === accepted.id && accepted.deliveries.length === 1, again);
  const batch = ok(202, await api.POST("/api/v1/events/batch", { body: { events: [{ type: "cancelled" }, { type: "token_success", id: 7 }] } }));
  check(batch.items.length === 2 && batch.items[0]?.status === "accepted", batch);
  const listed = ok(200, await api.GET("/api/v1/events", { params: { query: { booking_id: "1234", since: "2026-11-21T09:00:00Z" } } }));
  check(listed.items[0]?.occurred_at === "2026-11-21T09:00:00Z", listed);
  const events = ok(200, await api.GET("/api/v1/events.csv", { params: { query: { booking_id: "1234", tour_id: "15", sent: "true" } }, parseAs: "text" }));
  check(events.split("\r\n").length === 3, events);
  const sent = ok(200, await api.GET("/api/v1/deliveries.csv", { params: { query: { booking_id: "1234" } }, parseAs: "text" }));
  check(sent.split("\r\n").length === 3, sent);
  const shown = ok(200, await api.GET("/api/v1/events/{id}", { params: { path: { id: accepted.id } } }));
  check(shown.external_id === "ts-1" && shown.tour_ids[0] === "15", shown);
  const booking = ok(200, await api.GET("/api/v1/bookings/{booking_id}", { params: { path: { booking_id: "1234" } } }));
  check(booking.events[0]?.id === accepted.id && booking.events[0].decisions.length === 1 && booking.events[0].changes.length === 0, booking);
  await deliveries(api, accepted.deliveries[0]?.id ?? "", webhook);
}

// deliveries waits until the delivery is finished, and sends it again.
async function deliveries(api: Client<paths>, id: string, webhook: string): Promise<void> {
  const params = { path: { id } };
  let delivery = ok(200, await api.GET("/api/v1/deliveries/{id}", { params }));
  for (const end = Date.now() + 20_000; delivery.finished_at === null && Date.now() < end; ) {
    delivery = ok(200, await api.GET("/api/v1/deliveries/{id}", { params }));
  }
  const [attempt] = delivery.attempts;
  check(attempt !== undefined && "status" in attempt && attempt.status === 200 && delivery.waits_for === null, delivery);
  const listed = ok(200, await api.GET("/api/v1/deliveries", { params: { query: { state: "delivered", webhook_id: webhook } } }));
  check(listed.items.length > 0, listed);
  const again = ok(202, await api.POST("/api/v1/deliveries/{id}/replay", { params }));
  check(again.state === "pending", again);
}

// replays counts what a replay would send, starts one and cancels it, and sends to a new webhook what it missed.
async function replays(api: Client<paths>, webhook: string): Promise<void> {
  const input = { deliveries: { webhook_id: webhook }, only: "all" as const, rate_limit: { requests: 1, per: "minute" as const } };
  const plan = ok(200, await api.POST("/api/v1/replays", { body: { ...input, dry_run: true } }));
  const made = ok(202, await api.POST("/api/v1/replays", { body: input }));
  check("deliveries" in plan && "total" in made && plan.deliveries > 1 && made.total === plan.deliveries, made);
  const params = { path: { id: "id" in made ? made.id : "" } };
  check(ok(200, await api.GET("/api/v1/replays")).items[0]?.id === params.path.id, made);
  check(ok(200, await api.GET("/api/v1/replays/{id}", { params })).state === "running", made);
  check(ok(200, await api.POST("/api/v1/replays/{id}/cancel", { params })).state === "cancelled", made);
  const later = ok(201, await api.POST("/api/v1/webhooks", { body: { name: "Later", url: option("receiver"), events: ["*"] } }));
  const missed = ok(200, await api.GET("/api/v1/events", { params: { query: { booking_id: "1234" } } })).items[0]?.id ?? "";
  const sent = ok(202, await api.POST("/api/v1/events/{id}/send", { params: { path: { id: missed } }, body: { webhook_id: later.id } }));
  check(sent.id !== "", sent);
  ok(204, await api.DELETE("/api/v1/webhooks/{id}", { params: { path: { id: later.id } } }));
}

async function webhooks(api: Client<paths>): Promise<void> {
  const input: components["schemas"]["WebhookInput"] = {
    name: "Accounting", url: option("receiver"), events: ["*"], concurrency: 2, rate_limit: { requests: 60, per: "minute" },
  };
  const made = ok(201, await api.POST("/api/v1/webhooks", { body: input }));
  check(made.secret !== "" && made.time_limit === null && made.rate_limit?.requests === 60, made);
  const params = { path: { id: made.id } };
  check(ok(200, await api.GET("/api/v1/webhooks")).items[0]?.id === made.id, made);
  const shown = ok(200, await api.GET("/api/v1/webhooks/{id}", { params }));
  check(shown.waiting.count === 0 && shown.failing_since === null, shown);
  const changed = ok(200, await api.PATCH("/api/v1/webhooks/{id}", { params, body: { name: "Books", rate_limit: null } }));
  check(changed.name === "Books" && changed.rate_limit === null && changed.concurrency === 2, changed);
  const test = ok(202, await api.POST("/api/v1/webhooks/{id}/test", { params, body: {} }));
  check(test.test && test.webhook_id === made.id, test);
  await events(api, made.id);
  await stats(api, made.id);
  await replays(api, made.id);
  ok(204, await api.DELETE("/api/v1/webhooks/{id}", { params }));
}

// stats reads what events delivered; the test before it is not counted.
async function stats(api: Client<paths>, webhook: string): Promise<void> {
  const query = { period: "30d" as const };
  const own = ok(200, await api.GET("/api/v1/webhooks/{id}/stats", { params: { path: { id: webhook }, query } }));
  const today = own.buckets[29];
  check(own.buckets.length === 30 && today !== undefined && today.delivered > 0 && today.failed_attempts === 0 && own.reasons["timeout"] === undefined, own);
  check(ok(200, await api.GET("/api/v1/stats")).buckets.length === 24, own);
}

async function inline(api: Client<paths>): Promise<void> {
  const verdict = ok(200, await api.POST("/api/v1/inline", { body: { type: "new_temporary_web", booking_id: "1234" } }));
  check(verdict.accepted && verdict.webhook_id === null, verdict);
}

async function prioticket(): Promise<void> {
  const basic = client("Basic " + btoa(option("client-id") + ":" + option("client-secret")));
  const granted = ok(200, await basic.POST("/v3.8/distributor/oauth2/token", { body: { grant_type: "client_credentials" } }));
  const api = client("Bearer " + granted.access_token);
  const webhook = { webhook_events: ["ORDER_CREATE"], webhook_url: option("receiver"), webhook_payload: true };
  const made = ok(201, await api.POST("/v3.8/distributor/webhooks", { body: { data: { webhook } } })).data.webhook;
  const listed = ok(200, await api.GET("/v3.8/distributor/webhooks"));
  check(listed.data.items[0]?.webhook_id === made.webhook_id, listed);
  const notification = { notification_event: "ORDER_CREATE", notification_item_id: "1" };
  ok(204, await api.POST("/v3.8/distributor/notifications", { body: { data: { notification } } }));
  ok(204, await api.DELETE("/v3.8/distributor/webhooks/{webhook_id}", { params: { path: { webhook_id: made.webhook_id } } }));
}

const api = client("Bearer " + option("token"));
await accountAndLists(api);
await webhooks(api);
await inline(api);
await prioticket();
