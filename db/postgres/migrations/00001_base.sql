-- +goose Up

-- The tables of SQLite (db/sqlite/migrations has their history) in the types of
-- PostgreSQL. Times are unix milliseconds UTC, durations microseconds; 0 means never.
-- Flags are 0 or 1. Ids are made in Go and ascend with time. A message is the JSON of a
-- webhook.Message, or empty for none. Texts compare by their bytes, as in Go.

-- The process that wrote last: another one has to forget what it knows of the tables.
CREATE TABLE last_writer (
  process BIGINT NOT NULL
);
INSERT INTO last_writer (process) VALUES (0);

-- The processes that serve the database. Times are those of the server's clock. One that is
-- not seen until its lease ends has lost its shards to whoever takes them.
CREATE TABLE replicas (
  id         BIGINT           PRIMARY KEY, -- its process in last_writer
  name       TEXT COLLATE "C" NOT NULL,
  version    TEXT COLLATE "C" NOT NULL,
  started_at BIGINT           NOT NULL,
  seen_at    BIGINT           NOT NULL,
  lease_end  BIGINT           NOT NULL,
  leaving    BIGINT           NOT NULL -- it takes no shards any more
);

-- Who sends the deliveries of the accounts whose id has this remainder. A shard without a
-- row was never taken.
CREATE TABLE shards (
  shard   BIGINT PRIMARY KEY,
  replica BIGINT NOT NULL, -- 0: none
  epoch   BIGINT NOT NULL  -- greater whenever somebody takes it
);

CREATE TABLE settings (
  key   TEXT COLLATE "C" PRIMARY KEY,
  value BYTEA            NOT NULL
);

CREATE TABLE accounts (
  id               BIGINT           PRIMARY KEY,
  number           BIGINT           NOT NULL UNIQUE,
  name             TEXT COLLATE "C" NOT NULL,
  time_zone        TEXT COLLATE "C" NOT NULL,
  webhook_limit    BIGINT           NOT NULL,
  revision         BIGINT           NOT NULL DEFAULT 0, -- new whenever the account or a webhook of it changes
  created_at       BIGINT           NOT NULL,
  checklist_hidden BIGINT           NOT NULL DEFAULT 0,
  mail_sent        BIGINT           NOT NULL DEFAULT 0
);

CREATE TABLE users (
  id            BIGINT           PRIMARY KEY,
  account_id    BIGINT           REFERENCES accounts (id), -- NULL: an admin without an account
  email         TEXT COLLATE "C" NOT NULL UNIQUE,
  password_hash TEXT COLLATE "C" NOT NULL,
  role          TEXT COLLATE "C" NOT NULL,
  created_at    BIGINT           NOT NULL
);
CREATE INDEX users_account ON users (account_id, id);

CREATE TABLE sessions (
  hash       BYTEA  PRIMARY KEY, -- SHA-256 of the id in the cookie
  user_id    BIGINT REFERENCES users (id) ON DELETE CASCADE, -- NULL before login
  data       BYTEA  NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE api_tokens (
  id         BIGINT           PRIMARY KEY,
  account_id BIGINT           NOT NULL REFERENCES accounts (id),
  name       TEXT COLLATE "C" NOT NULL,
  hash       BYTEA            NOT NULL UNIQUE, -- SHA-256 of the token
  created_at BIGINT           NOT NULL,
  used_at    BIGINT           NOT NULL DEFAULT 0
);
CREATE INDEX api_tokens_account ON api_tokens (account_id, id);

-- Clients of the Prioticket-compatible API, and the tokens they exchanged their
-- secret for.
CREATE TABLE clients (
  id         BIGINT           PRIMARY KEY,
  account_id BIGINT           NOT NULL REFERENCES accounts (id),
  name       TEXT COLLATE "C" NOT NULL,
  hash       BYTEA            NOT NULL, -- SHA-256 of the secret
  created_at BIGINT           NOT NULL,
  used_at    BIGINT           NOT NULL DEFAULT 0
);
CREATE INDEX clients_account ON clients (account_id, id);

CREATE TABLE client_tokens (
  hash       BYTEA            PRIMARY KEY, -- SHA-256 of the token
  client_id  BIGINT           NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
  scope      TEXT COLLATE "C" NOT NULL,
  expires_at BIGINT           NOT NULL
);
CREATE INDEX client_tokens_client ON client_tokens (client_id, expires_at);

-- The booking platforms that an account uses or used.
CREATE TABLE connections (
  account_id     BIGINT           NOT NULL REFERENCES accounts (id),
  platform       TEXT COLLATE "C" NOT NULL,
  enabled        BIGINT           NOT NULL,
  token          TEXT COLLATE "C" NOT NULL, -- the last part of the address; operators see it again; may be sealed
  token_hash     BYTEA            NOT NULL UNIQUE, -- SHA-256 of the token
  old_token      TEXT COLLATE "C" NOT NULL DEFAULT '', -- may be sealed
  old_token_hash BYTEA            UNIQUE, -- NULL: there is none
  old_until      BIGINT           NOT NULL DEFAULT 0,
  received_at    BIGINT           NOT NULL DEFAULT 0, -- to ten seconds
  settings       TEXT COLLATE "C" NOT NULL, -- JSON: key to value, credentials among them; may be sealed
  PRIMARY KEY (account_id, platform)
);

-- Requests to an address that were rejected because they could not be read.
CREATE TABLE rejected_requests (
  id           BIGINT           PRIMARY KEY,
  account_id   BIGINT           NOT NULL REFERENCES accounts (id),
  platform     TEXT COLLATE "C" NOT NULL,
  method       TEXT COLLATE "C" NOT NULL,
  query        TEXT COLLATE "C" NOT NULL,
  content_type TEXT COLLATE "C" NOT NULL,
  body         BYTEA, -- its beginning
  truncated    BIGINT           NOT NULL,
  status       BIGINT           NOT NULL, -- how it was answered
  why          TEXT COLLATE "C" NOT NULL, -- message
  digest       BYTEA            NOT NULL, -- of all of the above: the same request again only counts
  times        BIGINT           NOT NULL,
  last_at      BIGINT           NOT NULL
);
CREATE INDEX rejected_requests_account ON rejected_requests (account_id, id);
CREATE UNIQUE INDEX rejected_requests_digest ON rejected_requests (account_id, digest);
CREATE INDEX rejected_requests_last ON rejected_requests (last_at);

CREATE TABLE channels (
  account_id BIGINT           NOT NULL REFERENCES accounts (id),
  id         TEXT COLLATE "C" NOT NULL,
  name       TEXT COLLATE "C" NOT NULL,
  retired_at BIGINT           NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, id)
);

CREATE TABLE tours (
  account_id BIGINT           NOT NULL REFERENCES accounts (id),
  id         TEXT COLLATE "C" NOT NULL,
  name       TEXT COLLATE "C" NOT NULL,
  retired_at BIGINT           NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, id)
);

CREATE TABLE webhooks (
  id               BIGINT           PRIMARY KEY,
  account_id       BIGINT           NOT NULL REFERENCES accounts (id),
  kind             TEXT COLLATE "C" NOT NULL, -- of the config; it never changes
  config           JSON             NOT NULL, -- JSON of webhook.Config
  enabled          BIGINT           NOT NULL,
  secret           TEXT COLLATE "C" NOT NULL,
  old_secret       TEXT COLLATE "C" NOT NULL DEFAULT '',
  old_until        BIGINT           NOT NULL DEFAULT 0,
  created_at       BIGINT           NOT NULL,
  updated_at       BIGINT           NOT NULL,
  deleted_at       BIGINT           NOT NULL DEFAULT 0, -- 0: not deleted; the log still names a deleted one
  failing_since    BIGINT           NOT NULL DEFAULT 0,
  failed_at        BIGINT           NOT NULL DEFAULT 0, -- the last failure
  off_at           BIGINT           NOT NULL DEFAULT 0,
  off_reason       TEXT COLLATE "C" NOT NULL DEFAULT '',
  skipped          BIGINT           NOT NULL DEFAULT 0, -- events skipped since off_at
  created_by       TEXT COLLATE "C" NOT NULL DEFAULT '',
  warnings         TEXT COLLATE "C" NOT NULL DEFAULT '{}',
  off_by           TEXT COLLATE "C" NOT NULL DEFAULT '',
  missed_since     BIGINT           NOT NULL DEFAULT 0,
  missed_until     BIGINT           NOT NULL DEFAULT 0,
  missed           BIGINT           NOT NULL DEFAULT 0,
  secret_shown_at  BIGINT           NOT NULL DEFAULT 0,
  secret_stored_at BIGINT           NOT NULL DEFAULT 0,
  secret_stored_by TEXT COLLATE "C" NOT NULL DEFAULT '',
  on_at            BIGINT           NOT NULL DEFAULT 0,
  circuit_failures BIGINT           NOT NULL DEFAULT 0,
  circuit_pauses   BIGINT           NOT NULL DEFAULT 0,
  circuit_opened_at BIGINT          NOT NULL DEFAULT 0,
  circuit_probe_at BIGINT           NOT NULL DEFAULT 0,
  circuit_resets   BIGINT           NOT NULL DEFAULT 0  -- changes of the webhook that reset its circuit
);
CREATE INDEX webhooks_account ON webhooks (account_id, id);
-- The webhooks that need attention, of all accounts: rare rows.
CREATE INDEX webhooks_attention ON webhooks (account_id) WHERE deleted_at = 0 AND (failing_since <> 0 OR off_reason IN ('gone', 'failing'));
-- The few webhooks that something may be wrong with, among all.
CREATE INDEX webhooks_troubled ON webhooks (id) WHERE failing_since <> 0 OR off_reason <> '' OR warnings <> '{}';

CREATE TABLE drafts (
  id         BIGINT           PRIMARY KEY,
  account_id BIGINT           NOT NULL REFERENCES accounts (id),
  webhook_id BIGINT           REFERENCES webhooks (id), -- the webhook that is edited
  body       TEXT COLLATE "C" NOT NULL, -- JSON of webhook.Draft
  updated_at BIGINT           NOT NULL
);
CREATE INDEX drafts_account ON drafts (account_id, id);

CREATE TABLE events (
  id          BIGINT           PRIMARY KEY,
  account_id  BIGINT           NOT NULL,
  external_id TEXT COLLATE "C", -- NULL: the sender gave none
  platform    TEXT COLLATE "C" NOT NULL,
  type        TEXT COLLATE "C" NOT NULL,
  channel_id  TEXT COLLATE "C" NOT NULL,
  booking_id  TEXT COLLATE "C" NOT NULL,
  tour_ids    TEXT COLLATE "C" NOT NULL, -- JSON list
  occurred_at BIGINT           NOT NULL,
  received_at BIGINT           NOT NULL,
  test        BIGINT           NOT NULL,
  inbound     BIGINT           NOT NULL, -- the platform itself sent it
  note        TEXT COLLATE "C" NOT NULL DEFAULT '', -- message: what went wrong before the match
  digest      BYTEA            NOT NULL,
  decisions   TEXT COLLATE "C" NOT NULL, -- JSON list of webhook.Decision; empty while there is a row of lookups
  data        BYTEA, -- the sender's JSON, byte for byte; last, since lists stop before it
  wire        BYTEA, -- what the platform sent, where data are not that
  via         TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX events_external ON events (account_id, external_id) WHERE external_id IS NOT NULL;
-- The type never changes; with it a search for one reads the index alone.
CREATE INDEX events_account ON events (account_id, id, type, platform);
CREATE INDEX events_booking ON events (account_id, booking_id, id) WHERE booking_id <> '';

-- Events that wait, unmatched, for what their platform says about the booking.
-- A row is deleted with the match, so that they are few.
CREATE TABLE lookups (
  event_id   BIGINT           PRIMARY KEY,
  account_id BIGINT           NOT NULL,
  platform   TEXT COLLATE "C" NOT NULL,
  booking_id TEXT COLLATE "C" NOT NULL,
  ask        BIGINT           NOT NULL -- 0: it waits only for an earlier event of its booking
);
CREATE INDEX lookups_booking ON lookups (account_id, platform, booking_id);

CREATE TABLE deliveries (
  id           BIGINT           PRIMARY KEY,
  account_id   BIGINT           NOT NULL,
  event_id     BIGINT           NOT NULL,
  webhook_id   BIGINT           NOT NULL,
  platform     TEXT COLLATE "C" NOT NULL,
  type         TEXT COLLATE "C" NOT NULL,
  booking_id   TEXT COLLATE "C" NOT NULL,
  test         BIGINT           NOT NULL,
  inline       BIGINT           NOT NULL, -- of an inline webhook: never due
  state        TEXT COLLATE "C" NOT NULL,
  attempts     BIGINT           NOT NULL, -- made or in flight
  completed    BIGINT           NOT NULL, -- number of the last attempt that ended
  base         BIGINT           NOT NULL DEFAULT 0, -- attempts that the retry schedule does not count
  next_at      BIGINT           NOT NULL, -- next attempt, or the end of the lease while in flight; 0 while held
  held         BIGINT           NOT NULL DEFAULT 0, -- pending behind an earlier delivery of its booking
  urgent       BIGINT           NOT NULL DEFAULT 0, -- sent before everything that is due: a person waits for it
  blocking     BIGINT           NOT NULL DEFAULT 0, -- others of the booking may be held behind this one
  created_at   BIGINT           NOT NULL,
  finished_at  BIGINT           NOT NULL DEFAULT 0,
  last_status  BIGINT           NOT NULL DEFAULT 0,
  last_failure TEXT COLLATE "C" NOT NULL DEFAULT '',
  last_us      BIGINT           NOT NULL DEFAULT 0,
  replay_id    BIGINT           NOT NULL DEFAULT 0
);
-- Each index over all deliveries is paid for with a page of its own for every
-- delivery, so there are two: the log of an account and of a webhook, newest first.
-- One by booking would cost a tenth of the throughput with five million rows: the
-- deliveries of an event, and of the events of a booking, are in their decisions.
CREATE INDEX deliveries_account ON deliveries (account_id, id);
CREATE INDEX deliveries_webhook ON deliveries (webhook_id, id);
-- "What has failed, what is waiting?", rare rows among many; what was delivered is
-- not in it. With the webhook, a search for one of many reads the index alone.
CREATE INDEX deliveries_state ON deliveries (account_id, state, id, webhook_id) WHERE state <> 'delivered';
-- The dispatcher, for each webhook: what is due, what of that is urgent, and whether
-- anything is held.
CREATE INDEX deliveries_due ON deliveries (webhook_id, held, urgent, next_at) WHERE state = 'pending';
-- The order of a booking: is anything of it pending, and what is held behind it?
CREATE INDEX deliveries_order ON deliveries (webhook_id, booking_id, held, id) WHERE state = 'pending' AND booking_id <> '';
-- What of a webhook has failed for good since a time, whenever it was created. Few
-- deliveries are in it, and each is written to it once.
CREATE INDEX deliveries_failed ON deliveries (webhook_id, finished_at) WHERE state = 'failed';

CREATE TABLE attempts (
  delivery_id      BIGINT           NOT NULL,
  number           BIGINT           NOT NULL,
  started_at       BIGINT           NOT NULL,
  duration_us      BIGINT           NOT NULL,
  status           BIGINT           NOT NULL, -- 0: no response
  failure          TEXT COLLATE "C" NOT NULL,
  error            TEXT COLLATE "C" NOT NULL, -- message
  method           TEXT COLLATE "C" NOT NULL,
  url              TEXT COLLATE "C" NOT NULL,
  remote_addr      TEXT COLLATE "C" NOT NULL,
  request_headers  TEXT COLLATE "C" NOT NULL, -- JSON
  request_body     BYTEA, -- without the event's data
  data_at          BIGINT           NOT NULL, -- the offset of the event's data in it; -1: not in it
  response_headers TEXT COLLATE "C" NOT NULL, -- JSON
  response_body    BYTEA,
  truncated        BIGINT           NOT NULL,
  PRIMARY KEY (delivery_id, number)
);

CREATE TABLE audit (
  id         BIGINT           PRIMARY KEY,
  account_id BIGINT           REFERENCES accounts (id), -- NULL: of the instance
  actor      TEXT COLLATE "C" NOT NULL,
  action     TEXT COLLATE "C" NOT NULL,
  subject    TEXT COLLATE "C" NOT NULL, -- the id of what it was done to
  args       TEXT COLLATE "C" NOT NULL, -- JSON list
  at         BIGINT           NOT NULL
);
CREATE INDEX audit_account ON audit (account_id, id);

-- How many times an account let Bookhook call an address of its choice in the newest
-- minute in which it did. One row for an account, so that none has to be removed.
CREATE TABLE url_checks (
  account_id BIGINT PRIMARY KEY REFERENCES accounts (id),
  minute     BIGINT NOT NULL, -- since 1970
  checks     BIGINT NOT NULL
);

-- Bulk replays. The deliveries of one are taken from its items by the claims of their
-- webhooks, after everything else that is due, so that nothing else has to run.
CREATE TABLE replays (
  id          BIGINT           PRIMARY KEY,
  account_id  BIGINT           NOT NULL,
  request     TEXT COLLATE "C" NOT NULL, -- JSON of webhook.ReplayRequest
  state       TEXT COLLATE "C" NOT NULL, -- planning while its items are being stored
  newest      BIGINT           NOT NULL, -- leaves out what a later event of the booking has overtaken
  gap         BIGINT           NOT NULL, -- milliseconds between two requests; 0: no rate
  next_at     BIGINT           NOT NULL, -- when the next item may be sent
  total       BIGINT           NOT NULL DEFAULT 0,
  sent        BIGINT           NOT NULL DEFAULT 0, -- items that were claimed
  left_out    BIGINT           NOT NULL DEFAULT 0, -- items that were no longer to be sent when their turn came
  delivered   BIGINT           NOT NULL DEFAULT 0,
  failed      BIGINT           NOT NULL DEFAULT 0,
  created_by  TEXT COLLATE "C" NOT NULL,
  created_at  BIGINT           NOT NULL,
  finished_at BIGINT           NOT NULL DEFAULT 0
);
CREATE INDEX replays_account ON replays (account_id, id);
CREATE INDEX replays_running ON replays (account_id, id) WHERE state = 'running';

-- An item may be of a delivery that does not exist yet: its event was skipped.
CREATE TABLE replay_items (
  replay_id   BIGINT NOT NULL,
  delivery_id BIGINT NOT NULL,
  event_id    BIGINT NOT NULL,
  webhook_id  BIGINT NOT NULL,
  state       BIGINT NOT NULL DEFAULT 0, -- 0 queued, 1 claimed, 2 its first attempt has ended, or it is left out
  PRIMARY KEY (replay_id, delivery_id)
);
CREATE INDEX replay_items_queued ON replay_items (webhook_id, replay_id, delivery_id) WHERE state = 0;
CREATE INDEX replay_items_open ON replay_items (replay_id) WHERE state < 2;

-- Filters of a list that a person keeps under a name.
CREATE TABLE saved_views (
  id         BIGINT           PRIMARY KEY,
  account_id BIGINT           NOT NULL REFERENCES accounts (id),
  user_id    BIGINT           NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  list       TEXT COLLATE "C" NOT NULL, -- webhook.ViewedList
  name       TEXT COLLATE "C" NOT NULL,
  query      TEXT COLLATE "C" NOT NULL, -- of the address of the list
  created_at BIGINT           NOT NULL
);
CREATE UNIQUE INDEX saved_views_user ON saved_views (user_id, list, name);

-- Lists that people pasted or uploaded to compare them with what was sent, in blocks.
CREATE TABLE uploads (
  id         BIGINT           PRIMARY KEY,
  account_id BIGINT           NOT NULL,
  name       TEXT COLLATE "C" NOT NULL, -- of the file; empty if it was pasted
  size       BIGINT           NOT NULL DEFAULT 0,
  complete   BIGINT           NOT NULL DEFAULT 0,
  created_by TEXT COLLATE "C" NOT NULL,
  created_at BIGINT           NOT NULL
);
CREATE INDEX uploads_account ON uploads (account_id, id);

CREATE TABLE upload_blocks (
  account_id BIGINT NOT NULL,
  upload_id  BIGINT NOT NULL,
  number     BIGINT NOT NULL,
  body       BYTEA  NOT NULL,
  PRIMARY KEY (account_id, upload_id, number)
);

-- Comparisons. Only those that have finished are shown.
CREATE TABLE reconciliations (
  id         BIGINT           PRIMARY KEY,
  account_id BIGINT           NOT NULL,
  webhook_id BIGINT           NOT NULL,
  since      BIGINT           NOT NULL, -- of the period; 0: open
  until      BIGINT           NOT NULL,
  upload_id  BIGINT           NOT NULL, -- it may be gone
  file       TEXT COLLATE "C" NOT NULL,
  place      BIGINT           NOT NULL, -- of the column in the list
  header     BIGINT           NOT NULL,
  counts     TEXT COLLATE "C" NOT NULL DEFAULT '{}', -- JSON of webhook.ReconcileCounts
  created_by TEXT COLLATE "C" NOT NULL,
  created_at BIGINT           NOT NULL,
  state      BIGINT           NOT NULL DEFAULT 0 -- 0 under way, 1 finished, 2 being deleted
);
CREATE INDEX reconciliations_account ON reconciliations (account_id, id);

-- What the receiver holds.
CREATE TABLE reconciliation_held (
  account_id        BIGINT           NOT NULL,
  reconciliation_id BIGINT           NOT NULL,
  key               TEXT COLLATE "C" NOT NULL, -- the same for all spellings
  reference         TEXT COLLATE "C" NOT NULL,
  outcome           BIGINT           NOT NULL DEFAULT 0, -- 0 not compared yet, 1 sent, 2 skipped, 3 never came in
  booking_id        TEXT COLLATE "C" NOT NULL DEFAULT '',
  reason            TEXT COLLATE "C" NOT NULL DEFAULT '',
  PRIMARY KEY (account_id, reconciliation_id, key)
);
CREATE INDEX reconciliation_held_unsent ON reconciliation_held (account_id, reconciliation_id, key) WHERE outcome >= 2;

-- What was sent and the receiver does not hold, with the newest delivery.
CREATE TABLE reconciliation_lacking (
  account_id        BIGINT           NOT NULL,
  reconciliation_id BIGINT           NOT NULL,
  booking_id        TEXT COLLATE "C" NOT NULL,
  delivery_id       BIGINT           NOT NULL,
  PRIMARY KEY (account_id, reconciliation_id, booking_id)
);

-- What was counted and is not in the counts of the hours yet: a stats.Log for each group
-- of writes.
CREATE TABLE count_log (
  id      BIGINT PRIMARY KEY,
  entries BYTEA  NOT NULL
);

-- The attempts of an hour by the clock of the account.
CREATE TABLE attempt_counts (
  account_id BIGINT NOT NULL, -- 0: the whole instance, by UTC
  webhook_id BIGINT NOT NULL, -- 0: all of the account
  hour       BIGINT NOT NULL, -- its start
  counts     BYTEA  NOT NULL, -- stats.Counts
  PRIMARY KEY (account_id, webhook_id, hour)
);
CREATE INDEX attempt_counts_hour ON attempt_counts (hour);

-- The events received in an hour.
CREATE TABLE event_counts (
  account_id BIGINT           NOT NULL, -- 0: the whole instance, by UTC
  hour       BIGINT           NOT NULL,
  platform   TEXT COLLATE "C" NOT NULL,
  channel_id TEXT COLLATE "C" NOT NULL, -- empty for the whole instance, too
  events     BIGINT           NOT NULL,
  PRIMARY KEY (account_id, hour, platform, channel_id)
);
CREATE INDEX event_counts_hour ON event_counts (hour);

-- One row for each message to one address. It has no sentence and no secret: those
-- are made when the message is sent.
CREATE TABLE outbox (
  id          BIGINT           PRIMARY KEY,
  account_id  BIGINT, -- NULL: of the instance, or not known until it is sent
  user_id     BIGINT, -- NULL: for nobody who can sign in, or not known until it is sent
  recipient   TEXT COLLATE "C" NOT NULL,
  kind        TEXT COLLATE "C" NOT NULL,
  args        TEXT COLLATE "C" NOT NULL, -- JSON
  state       TEXT COLLATE "C" NOT NULL, -- waiting, sent or failed
  attempts    BIGINT           NOT NULL DEFAULT 0,
  next_at     BIGINT           NOT NULL, -- while it is being sent, when that counts as cut off
  problem     TEXT COLLATE "C" NOT NULL DEFAULT '', -- JSON of webhook.Message; of the last attempt
  created_at  BIGINT           NOT NULL,
  finished_at BIGINT           NOT NULL DEFAULT 0
);
CREATE INDEX outbox_account ON outbox (account_id, id);
CREATE INDEX outbox_due ON outbox (next_at) WHERE state = 'waiting';
-- How many messages somebody got lately.
CREATE INDEX outbox_user ON outbox (user_id, id) WHERE user_id IS NOT NULL;

-- People who have been invited and have not chosen a password yet.
CREATE TABLE invitations (
  id         BIGINT           PRIMARY KEY,
  account_id BIGINT           NOT NULL REFERENCES accounts (id),
  email      TEXT COLLATE "C" NOT NULL,
  role       TEXT COLLATE "C" NOT NULL,
  hash       BYTEA            UNIQUE, -- SHA-256 of the token in the link; NULL until that is sent
  mail_id    BIGINT           NOT NULL UNIQUE, -- of the last message with a link
  created_by TEXT COLLATE "C" NOT NULL,
  created_at BIGINT           NOT NULL,
  expires_at BIGINT           NOT NULL,
  UNIQUE (account_id, email)
);

-- Links with which people choose a new password.
CREATE TABLE password_resets (
  hash       BYTEA  PRIMARY KEY, -- SHA-256 of the token in the link
  user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  expires_at BIGINT NOT NULL
);
CREATE INDEX password_resets_user ON password_resets (user_id);

-- What is or was wrong, so that people are notified once.
CREATE TABLE incidents (
  id         BIGINT           PRIMARY KEY,
  account_id BIGINT           NOT NULL, -- 0: of the instance
  kind       TEXT COLLATE "C" NOT NULL,
  subject    TEXT COLLATE "C" NOT NULL, -- the id of a webhook, or a platform; empty of the instance
  stage      BIGINT           NOT NULL,
  details    TEXT COLLATE "C" NOT NULL, -- JSON of incidents.Details
  opened_at  BIGINT           NOT NULL,
  cleared_at BIGINT           NOT NULL DEFAULT 0, -- since when it seems to be over
  closed_at  BIGINT           NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX incidents_open ON incidents (account_id, kind, subject) WHERE closed_at = 0;
CREATE INDEX incidents_account ON incidents (account_id, id);
CREATE INDEX incidents_closed ON incidents (closed_at);

-- What people want to be told, for those who have chosen.
CREATE TABLE notice_settings (
  user_id     BIGINT           PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  mail        BIGINT           NOT NULL,
  muted       TEXT COLLATE "C" NOT NULL, -- JSON list of kinds
  quiet_from  BIGINT           NOT NULL, -- hours of the day; equal: none
  quiet_until BIGINT           NOT NULL
);

-- From when on an account is notified that a webhook is failing, if it has chosen.
CREATE TABLE notice_limits (
  account_id BIGINT PRIMARY KEY REFERENCES accounts (id),
  after_ms   BIGINT NOT NULL,
  waiting    BIGINT NOT NULL
);

-- Where the bookings of a webhook go by e-mail while it fails. The row of a deleted
-- webhook is deleted with it.
CREATE TABLE fallbacks (
  webhook_id   BIGINT           PRIMARY KEY REFERENCES webhooks (id),
  account_id   BIGINT           NOT NULL REFERENCES accounts (id),
  address      TEXT COLLATE "C" NOT NULL,
  guests       BIGINT           NOT NULL, -- with guests' names and contact data
  set_by       TEXT COLLATE "C" NOT NULL,
  set_at       BIGINT           NOT NULL,
  hash         BYTEA            UNIQUE, -- SHA-256 of the token in the link that confirms; NULL until that is sent, and afterwards
  link_mail    BIGINT           NOT NULL, -- the last message with a link
  expires_at   BIGINT           NOT NULL, -- of the link
  confirmed_at BIGINT           NOT NULL DEFAULT 0,
  stopped_at   BIGINT           NOT NULL DEFAULT 0, -- by who gets the messages
  incident_id  BIGINT           NOT NULL DEFAULT 0, -- that messages are about
  since        BIGINT           NOT NULL DEFAULT 0, -- what was created from then on is in them
  list_mail    BIGINT           NOT NULL DEFAULT 0, -- the last message with a list
  queued_at    BIGINT           NOT NULL DEFAULT 0,
  queued_until BIGINT           NOT NULL DEFAULT 0, -- it lists what was created before
  listed       BIGINT           NOT NULL DEFAULT 0 -- as queued_until, of the last one that was sent
);
CREATE UNIQUE INDEX fallbacks_link ON fallbacks (link_mail);
-- The few about which messages were sent.
CREATE INDEX fallbacks_incident ON fallbacks (incident_id) WHERE incident_id <> 0;
CREATE INDEX fallbacks_list ON fallbacks (list_mail) WHERE list_mail <> 0;
