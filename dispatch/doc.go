// Package dispatch sends deliveries: it takes those that are due, makes the
// request, and records the result. Package guard below it decides which
// addresses may be called; package lookup asks platforms about bookings.
//
//	Ingest ─────reserve────▶ lane ──▶ send ──▶ Finish (attempt, next attempt)
//	table ──due──▶ Claim ──▶ lane      │           │
//	  ▲                                ▼           ▼
//	  └───────────── due again ◀── cut off     retry, delivered, failed
//
// The table of deliveries is the source of truth; memory only says what to do
// next. A delivery is claimed before it is sent: its attempt is counted and its
// NextAt is set to the end of a lease, so that claims expire by themselves after
// a crash; whoever serves the account next recovers them at once. A new delivery is inserted
// already claimed if its lane has room ([Dispatcher.Ingest]), and is sent as
// soon as it is on disk, without being read again.
//
// # Scheduling
//
// Each webhook with something to do has a lane (lane.go): as many requests in
// flight as its concurrency allows, and a short queue behind them. What does not
// fit stays in the table until the lane has room, so that a dead receiver costs
// a few places in memory and delays nobody else.
//
// There is one scheduler (lanes.go). A lane that waits for a point in time (a due
// row, its rate or the next probe) has a timer in one heap. When the timer fires,
// the lane is put into the line of starts or into that of claims. In these lines
// accounts take turns, and so do the lanes of each, for one request or claim at a
// time. A goroutine for each webhook would need the same limits as semaphores, and
// could be tested only by running it; this scheduler is a state machine without I/O,
// which tests step through.
//
// What is limited is shared by account (account.go): requests in flight, workers,
// memory, claims, inline calls, and in package lookup the requests to platforms. An
// account gets another place as long as it has fewer than are free. A request in
// flight may last for 15 s, so what the next account is to have at once must be free
// beforehand.
//
// Delivering goes before accepting (pace.go): an event for a lane that is full, but
// fast, waits for up to a quarter of a second until there is a place for it, and a
// fast lane holds more than its concurrency asks for. So a backlog grows only because
// of a receiver, and never because events come in fast: what goes through the table
// costs more than sending does.
//
// A receiver that fails ten times in a row opens the circuit of its lane
// (circuit.go): one delivery at a time is sent as a probe, after growing pauses,
// while the others wait in the table. The first success closes it; after the
// success of a probe, everything that is waiting is due at once. The lane decides, since
// it knows of every attempt first; Finish stores the circuit with the webhook, where a
// restart finds it and pages read it. A change of the webhook resets it there; a lane
// that missed the change finds out with the next row that it reads of the webhook.
//
// The items of bulk replays are in a table of their own, and are claimed when nothing
// else of their webhook is due or queued, as their rates allow. They have at most a third
// of a lane and half of its requests in flight, so fresh events find room, and a
// backlog of them never counts as older deliveries. Once claimed they are deliveries as
// any other: what is released or waits for a retry is due in the table of deliveries.
//
// What a person asks for (retry now, replay, a test, sending what was skipped) is urgent:
// it starts at once, whatever circuit, rate or queue, and counts as a probe. Of a
// webhook, eight may be in memory; more wait in the table. While a webhook is off, only
// urgent tests are claimed. It stays urgent until its attempt has ended, also
// when it is released or the process dies.
//
// The order of a booking is kept by the table alone: a delivery that has to wait
// for an earlier one is held and never due.
//
// # Replicas
//
// Several processes can serve one database of PostgreSQL. Accounts are in shards
// ([webhook.ShardOf]), and a replica has lanes only for the shards that it holds
// (shards.go). It holds them by one lease, which it renews every few seconds
// (leases.go), and starts requests only while that is good. A shard that it took is
// opened when its claims are recovered and what is due of it was read. To hand one
// over, to a replica that joined or because it stops, it starts nothing more of it,
// releases what is queued, waits for what is under way, and gives it back. If it lost
// one, it forgets it: the store refuses late results with [webhook.ErrNotHeld].
//
// Any replica accepts events. When it stores some for an account of another replica, the
// store notifies that one ([ShardStore].Listen calls [Dispatcher.Touched]), with the ids of
// small deliveries: it claims those for which a lane has room all at once (announced.go),
// and looks for the others in the table. What is due is read again every few seconds if
// others have written, since an announcement can be missed. On SQLite a process holds all
// shards for ever, and none of this happens.
//
// # Closed connections
//
// A receiver may close a kept connection while a request is on its way, and nobody
// knows whether it got that. It is an attempt of its own: one Finish records it and
// claims the next, which the same job makes at once on a new connection. Circuit,
// health and retry schedule do not count it.
//
// # Inline calls
//
// A call of an inline webhook ([Dispatcher.CallInline]) bypasses all of this: the
// caller waits for the one request, within the time limit of the webhook, and
// until its result is recorded. Its delivery is inserted as claimed and is never
// due; one that a dead process left behind is marked as failed. Every replica makes the
// calls that it is asked for, whoever serves the account.
//
// # Loop and shutdown
//
// One loop ([Dispatcher.Run]) sleeps until it is woken or the first timer fires;
// there is no polling of what this process knows itself. A place in flight is free as soon as the response has been
// received; its result is recorded afterwards, with retries until the store
// accepts it.
//
// At shutdown nothing more is claimed, lookups are cut off, queued jobs are
// released, and requests in flight have a grace period to finish. What is cut off
// after that is released as well. A released job does not lose an attempt.
//
// # Loops
//
// Every request about an event has the path of the event through Bookhooks
// ([webhook.Via]), by which a Bookhook to which the event comes back refuses it with
// 508. That attempt is final. URLs at Bookhook's own address are refused when they
// are saved ([Dispatcher.CheckURL]).
//
// A receiver's failure is a result and never an error of a method here;
// guard.Classify explains it.
package dispatch
