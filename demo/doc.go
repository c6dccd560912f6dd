// Package demo has what "bookhook demo" shows: a sample account, four receivers
// and a booking system that keeps sending events.
//
//	BookingSystem ──POST /api/v1/events──▶ Bookhook ──deliveries──▶ Receivers (healthy, flaky, down, back)
//
// Nothing is faked. [Seed] writes what an operator would have typed;
// [BookingSystem] is an ordinary client of the JSON API, with a token;
// [Receivers] are ordinary servers on loopback that succeed and fail; one was
// away in the beginning, so that there is an outage to put right. Only the retry
// schedule is shorter than usual ([Schedule]).
package demo

import "time"

// Schedule is the pause before each attempt, short enough to watch a delivery
// fail.
var Schedule = []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second}
