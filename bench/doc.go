// Package bench is what "bookhook bench" measures: how fast the whole path is,
// and how much of what this machine could do at best that is.
//
//	load ──POST /api/v1/events──▶ bookhook serve ──▶ SQLite ──▶ signed POST ──▶ receiver
//	load ──POST /api/v1/events──▶ bookhook bench-unstored ────▶ signed POST ──▶ receiver
//	load ──────────────────────────the same body, bare ───────────────────────▶ receiver
//
// The load and the receiver live in this process; Bookhook is a process of its
// own, the same binary started as anybody would, so that its processor time and
// memory are its own and nothing in it knows that it is measured. The second
// way is the first with an [Unstored] in place of the database; the third has
// no Bookhook at all. They run in turns, so that a busy machine is busy for all
// of them.
//
// Every event has a number. It is noted in the [ledger] when it was to be sent,
// when the answer to it was complete, and when and how often it arrived, so
// that nothing is sampled: latencies are exact, and what was accepted and never
// came, or came twice, is found. When the load ends, what is on its way may
// arrive; then Bookhook is stopped and its database is asked whether it, too,
// knows of every delivery.
//
// The backlog is built up in front of a receiver that is slower than the load,
// and drained by the same receiver when it is well again: memory must stay as it
// was when the caches were full, and the time to accept as it was at first. To be
// refused is no failure there, as long as the answer says to come again.
//
// A time from accepted to delivered counts from the complete answer to the
// sender. A delivery may well be there before; that counts as 0.
package bench
