// Package dispatch sends deliveries: it takes those that are due, makes the
// request, and records what came of it. It is the only package that calls
// receivers, and the [Guard] in it decides which addresses may be called.
//
//	Ingest ──────take──────▶ lane ──▶ send ──▶ Finish (attempt, next try)
//	table ──due──▶ Claim ──▶ lane      │           │
//	  ▲                                ▼           ▼
//	  └───────────── due again ◀── cut off     retry, delivered, failed
//
// The table of deliveries is the truth; memory only says what to do next.
// A delivery is claimed before it is sent: its attempts are raised and its
// next try is moved to the end of a lease, so that a crash heals by time
// alone, and at start at once. A fresh delivery is inserted already claimed
// when its lane has room ([Dispatcher.Ingest]) and is on its way as soon as it
// is on disk, without another look at the table.
//
// Each webhook with something to do has a lane: a few requests in flight, as
// its concurrency allows, and a short queue behind them. What does not fit
// stays in the table until the lane has room, so a dead receiver costs a few
// places in memory and delays nobody else. When the cap over all lanes is
// reached, they take turns.
//
// A receiver that fails ten times in a row opens the circuit of its lane
// (circuit.go): it gets one delivery at a time as a probe, after growing
// pauses, and the others wait in the table. The first success closes it; after
// that of a probe, all that waits is due at once. A webhook with a rate has its
// requests evenly spaced. What waits for a time, be it a claim or a start, stands
// in a timetable.
//
// The order of a booking is kept by the table alone (order.go of package db): a
// delivery that has to wait for an earlier one is held and never due.
//
// An event that does not say which tours it is of waits in the table, without
// deliveries, until its platform was asked about the booking (lookup.go): one
// question for all that waits of it, signed as the platform wants it, guarded like
// a delivery. An answer serves what came in before it was asked for, or within the
// same moment (answers.go). When there is none after four tries, or the platform
// has been silent for too long, the event is matched as it came and says so. A
// platform that does not answer is asked one question at a time, with pauses, and
// all such take half of the places at most.
// Memory knows which rows wait (lookups.go); each ends with its match, in one
// transaction, so that a crash only asks again.
//
// A question to an inline webhook ([Dispatcher.Ask]) takes none of these ways:
// whoever asks waits for the one request, within the time limit of the webhook,
// and for its recording. Its delivery is claimed while it is inserted and never
// due; what a dead process leaves of it, the next start ends.
//
// One loop (Run) sleeps until it is woken or the next row is due, another one does
// so for lookups; there is no polling. A place in a lane is free as soon as the
// answer is there; the recording goes on beside it and is repeated until the store
// takes it.
//
// At shutdown nothing more is claimed or asked, questions are cut off, what is
// queued is given back uncharged, what is in flight has the grace to end, and what
// is then cut off is given back uncharged too.
//
// A receiver's failure is an outcome and never an error: the reason comes from
// typed errors (failure.go), the sentence for the operator from explain.go.
package dispatch
