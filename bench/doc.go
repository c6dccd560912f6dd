// Package bench measures for "bookhook bench" how fast the whole path from event to
// receiver is, and what share that is of what this machine could do at best.
//
//	load ──POST /api/v1/events──▶ bookhook serve ──▶ SQLite ──▶ signed POST ──▶ receiver
//	load ──POST /api/v1/events──▶ bookhook bench-unstored ────▶ signed POST ──▶ receiver
//	load ──────────────────────────the same body, bare ───────────────────────▶ receiver
//
// The load and the receiver run in this process; Bookhook is a separate process of
// the same binary, started with the ordinary command, so that its CPU time and
// memory can be told apart and nothing in it is special. The second way is the first
// with an [Unstored] in place of the database; the third has no Bookhook at all. They
// take turns, so that other load on the machine affects all of them.
//
// Every event has a number. The deliveryLog records when it was to be sent, when
// its response was complete, and when and how often it arrived, so that nothing is
// sampled: latencies are exact, and events that were accepted and lost or
// delivered twice are found. After the load, deliveries in flight may still arrive;
// then Bookhook is stopped, and its database is checked for deliveries that it
// has not recorded.
//
// An account is measured alone and beside a hostile one, whose receivers take all the
// time that they are given: its deliveries must not take more than twice as long.
//
// The backlog grows in front of a receiver that is slower than the load, and is
// drained after that receiver has recovered: memory must not grow once the caches
// are full, and accepting an event must not get slower. A refused event is not a
// failure there, as long as the response asks to retry.
//
// A backlog that is in the table when its receiver is well again must be delivered no
// slower than the same webhook's events under load, and must not delay fresh events of
// other webhooks: both are measured in the same run. And old rows are deleted beside
// full load by the ordinary retention, in turn with loads for which nothing is old.
//
// [RunBeside] measures other programs with the same load and receiver, in turn with
// Bookhook. What it is for is a module of its own, in the folder peers.
//
// [RunReplicas] measures one and several replicas on PostgreSQL. Each event goes to
// another replica than the one before; there are many accounts, which the replicas share.
// Here all of them, the database, load and receiver share the processors of one machine,
// so more replicas cannot deliver more: what is found is what sharing costs.
//
// The time from accepted to delivered starts when the sender has the complete
// response. A delivery that arrived before counts as 0.
package bench
