package webhook

import (
	"iter"
	"math/bits"
	"time"
)

// Subscriptions are what matching needs to know about an account, at one
// revision. They are shared and must not be modified.
type Subscriptions struct {
	Revision  int64 // new whenever the account, a webhook or a connection of it changes
	Account   Account
	Platforms map[string]bool // those that are on
	Webhooks  []*Webhook      // asynchronous ones, in the order they were created
	Inline    []*Webhook      // synchronous ones
}

// Decide matches an event with the asynchronous webhooks, and returns a decision
// for each of them, in their order and without ids of deliveries.
func (s *Subscriptions) Decide(e *Event) []Decision { return s.decide(s.Webhooks, e) }

// DecideInline is Decide for the synchronous webhooks.
func (s *Subscriptions) DecideInline(e *Event) []Decision { return s.decide(s.Inline, e) }

func (s *Subscriptions) decide(webhooks []*Webhook, e *Event) []Decision {
	all := make([]Decision, len(webhooks))
	for i, w := range webhooks {
		all[i] = Decision{Webhook: w.ID, Reason: s.match(w, e)}
	}
	return all
}

// match is [Match], but no webhook receives events of a platform that the
// account does not use.
func (s *Subscriptions) match(w *Webhook, e *Event) Reason {
	if e.Platform != OwnPlatform && !s.Platforms[e.Platform] {
		return ReasonPlatformOff
	}
	return Match(w, e)
}

// Webhook finds one of the asynchronous webhooks; nil if it is not among them.
func (s *Subscriptions) Webhook(id WebhookID) *Webhook {
	for _, w := range s.Webhooks {
		if w.ID == id {
			return w
		}
	}
	return nil
}

// Plan is a batch of matched events to be stored together, all or none. It is
// valid for the revision of its subscriptions.
type Plan struct {
	Subscriptions *Subscriptions
	Events        []PlannedEvent
	At            time.Time // when the events were received
	Lease         time.Time // until when its claimed deliveries are claimed
}

// PlannedEvent is an event with its match. The store gives it and its deliveries
// their ids.
type PlannedEvent struct {
	Event     Event
	Decisions []Decision // one for each of Subscriptions.Webhooks, in their order
	Claim     []bool     // for each decision: the dispatcher has reserved a place, so the delivery is stored as claimed
}

// NewPlan matches events that were received at the given time. Those that waited
// for a lookup keep their own ReceivedAt.
func NewPlan(s *Subscriptions, events []Event, at, lease time.Time) *Plan {
	p := &Plan{Subscriptions: s, Events: make([]PlannedEvent, len(events)), At: at, Lease: lease}
	for i, e := range events {
		if e.Account = s.Account.ID; e.ReceivedAt.IsZero() {
			e.ReceivedAt = at
		}
		decisions := s.Decide(&e)
		p.Events[i] = PlannedEvent{Event: e, Decisions: decisions, Claim: make([]bool, len(decisions))}
	}
	return p
}

// Due is when the next delivery of a webhook of the account is due; the times are
// zero if there is none. Bulk replays are apart, since they come after everything else.
type Due struct {
	Account AccountID
	At      time.Time
	Urgent  time.Time // when the next one is due that a person waits for; At is no later
	Bulk    time.Time // when the next item of a bulk replay may be sent
	Circuit Circuit   // of the webhook, as far as it was recorded
}

// Claim says what is to be claimed of a webhook.
type Claim struct {
	Webhook WebhookID
	N       int  // deliveries that are due at Now, at most, urgent ones first
	Urgent  int  // and so many more urgent ones
	Newest  bool // those that became due last, instead of the longest due
	Bulk    int  // items of bulk replays, at most, if no delivery is due then
	Now     time.Time
	Lease   time.Time // until when they are claimed
}

// Touched is a webhook that a committed change affects, and how.
type Touched struct {
	Account  AccountID
	Webhook  WebhookID
	What     Touch
	Delivery DeliveryID // of TouchDue, if it is a new one whose data is small: who sends it can claim it by its id
}

// Touch says what a change means for the deliveries of a webhook.
type Touch int

// The ways in which a change affects a webhook, from the least to the most.
const (
	TouchDue        Touch = iota // a delivery became due
	TouchUrgent                  // a delivery became due for a person who waits for it
	TouchDeliveries              // deliveries were cancelled or changed: what is queued in memory is stale
	TouchWebhook                 // the webhook itself was changed, switched or deleted: its circuit is reset, too
	TouchUnknown                 // of no webhook: nobody knows whether something was stored, and what
	TouchLookup                  // of no webhook: an event of the account waits for a lookup
	TouchShards                  // of no account: a replica joined, or gave shards back
	TouchMail                    // of no account: a message was added to the outbox
)

// Shards is how many parts the accounts are divided into. The deliveries of a part are
// claimed, sent and finished by the one replica that holds it.
const Shards = 61

// ShardOf returns the part that an account is in; in SQL, that is account_id % 61.
func ShardOf(account AccountID) int { return int(account % Shards) }

// ShardSet is a set of shards: bit n is shard n.
type ShardSet int64

// AllShards is the set of all of them.
const AllShards ShardSet = 1<<Shards - 1

// Has reports whether the shard is in the set.
func (s ShardSet) Has(shard int) bool { return s&(1<<shard) != 0 }

// HasAccount reports whether the shard of the account is in the set.
func (s ShardSet) HasAccount(account AccountID) bool { return s.Has(ShardOf(account)) }

// Len returns how many shards are in the set.
func (s ShardSet) Len() int { return bits.OnesCount64(uint64(s)) } //nolint:gosec // the sign is never set

// Each ranges over the shards of the set.
func (s ShardSet) Each() iter.Seq[int] {
	return func(yield func(int) bool) {
		for shard := range Shards {
			if s.Has(shard) && !yield(shard) {
				return
			}
		}
	}
}

// LeaseTime is for how long a replica holds its shards without being heard of.
const LeaseTime = 10 * time.Second

// LeaseRequest asks for shards, and says what is no longer needed.
type LeaseRequest struct {
	Name     string // of the replica, for people
	Version  string // of its program
	Leaving  bool   // it takes no shards any more; with all of them given back it is gone
	GiveBack ShardSet
}

// Lease is what a replica holds.
type Lease struct {
	Epochs  [Shards]int64 // of each shard, new whenever somebody takes it; 0: not held
	Until   time.Time     // by this machine's clocks; zero: for ever, since there are no other replicas
	Share   int           // how many shards it should have
	Written bool          // another process may have written since the last one
}

// Replica is a process that serves the database, or did so until it was lost.
type Replica struct {
	ID        int64
	Name      string // its machine and where it listens
	Version   string
	StartedAt time.Time
	SeenAt    time.Time // by the clock of the database's server
	Alive     bool      // its lease has not ended
	Leaving   bool      // it is shutting down
	Own       bool      // it is this one
	Shards    ShardSet
}

// What a preview looks at, and shows.
const (
	PreviewEvents   = 200 // newest events
	PreviewExamples = 3   // of those that are sent, and of those that are not
)

// Preview is what a webhook would have received of the newest events of its account.
type Preview struct {
	Events  int // how many there are, at most PreviewEvents
	Sent    int
	Matched []PreviewRow // examples, newest first
	Skipped []PreviewRow // examples; the first ones have different reasons
}

// PreviewRow is an event with the decision that would be made on it.
type PreviewRow struct {
	Event  Event
	Reason Reason
}

// Preview matches the newest events of the account, newest first, with a webhook as if
// it were on. Only bookings count: neither tests, nor what waits for a lookup, nor
// Bookhook's own events.
func (s *Subscriptions) Preview(c Config, events []EventRow) Preview {
	var p Preview
	var repeated []PreviewRow // skipped for a reason that has an example
	shown := map[Reason]bool{}
	w := &Webhook{Config: c, Enabled: true}
	for i := range events {
		e := &events[i].Event
		if e.Test || e.Lookup || e.Platform == OwnPlatform || p.Events == PreviewEvents {
			continue
		}
		row := PreviewRow{Event: *e, Reason: s.match(w, e)}
		p.Events++
		switch {
		case row.Reason == Matched:
			p.Sent++
			p.Matched = append(p.Matched, row)
		case shown[row.Reason]:
			repeated = append(repeated, row)
		default:
			shown[row.Reason] = true
			p.Skipped = append(p.Skipped, row)
		}
	}
	p.Skipped = append(p.Skipped, repeated...)
	p.Matched, p.Skipped = p.Matched[:min(len(p.Matched), PreviewExamples)], p.Skipped[:min(len(p.Skipped), PreviewExamples)]
	return p
}
