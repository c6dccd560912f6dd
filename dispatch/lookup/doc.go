// Package lookup asks booking platforms about bookings and lists.
//
// Some platforms send an event without the tours of its booking. Such an event
// waits in the table, without deliveries, until its platform has been asked about
// the booking; then it is matched. [Queue] does that: the events of a booking
// share one request, and are matched in the order in which they were accepted,
// several in one transaction. After a crash the request is repeated.
//
//	table ──Lookups──▶ schedule ──task──▶ request (or cached response) ──▶ match
//	                      ▲                        │
//	                      └──── retry after 2 s, 10 s, 30 s ◀── no response
//
// A response serves the events that were accepted before the request, or within
// five seconds after it (cache.go). After four failed requests, or when the
// platform has failed for too long, the event is matched as a booking without
// tours, with a note that says why.
//
// Accounts take turns (schedule.go). While a platform fails for an account, it gets
// one request at a time, with pauses; all slow ones together take at most half of
// the places, so that the others always have some.
//
// [Client.Items] requests the channels or tours of an account, while a person
// waits.
package lookup
