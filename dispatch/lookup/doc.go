// Package lookup asks booking platforms about bookings and lists.
//
// Some platforms send an event without the tours of its booking. Such an event
// waits in the table, without deliveries, until its platform was asked about
// the booking; then it is matched. [Queue] does that: all events of a booking
// wait together, are served by one request, and are matched in the order in
// which they were accepted, a few in one transaction. A crash only repeats the
// request.
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
// Accounts take turns (schedule.go). A platform that fails gets one request of
// an account at a time, with pauses, and all slow ones together take half of
// the places, so that the others always have some.
//
// [Client.Items] requests the channels or tours of an account for a person who
// waits for them.
package lookup
