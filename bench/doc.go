// Package bench is what "bookhook bench" measures: how fast the whole path is,
// and how much of what this machine could do at best that is.
//
//	load ──POST /api/v1/events──▶ bookhook serve ──▶ SQLite ──▶ signed POST ──▶ receiver
//	load ──POST /api/v1/events──▶ bookhook bench-unstored ────▶ signed POST ──▶ receiver
//	load ──────────────────────────the same body, bare ───────────────────────▶ receiver
//
// The load and the receiver run in this process; Bookhook is a process of its
// own, the same binary started as anybody would, so that its processor time and
// memory are its own and nothing in it knows that it is measured. The second
// way is the first with an [Unstored] in place of the database; the third has
// no Bookhook at all. They take turns, so that other load on the machine affects all
// of them.
//
// Every event has a number. The deliveryLog records when it was to be sent, when
// its answer was complete, and when and how often it arrived, so that nothing is
// sampled: latencies are exact, and events that were accepted and lost or
// delivered twice are found. After the load, deliveries in flight may arrive;
// then Bookhook is stopped, and its database is checked for deliveries that it
// has not recorded.
//
// The backlog grows in front of a receiver that is slower than the load, and is
// drained by the same receiver after it has recovered: memory must stay as it was
// when the caches were full, and the time to accept as it was at first. A refused
// event is no failure there, as long as the answer asks to retry.
//
// The time from accepted to delivered starts at the complete answer to the
// sender. A delivery that arrived before counts as 0.
package bench
