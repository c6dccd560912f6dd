// Package demo is what "bookhook demo" shows: a sample account, three receivers
// and a booking system that keeps sending.
//
//	BookingSystem ──POST /api/v1/events──▶ Bookhook ──deliveries──▶ Receivers (healthy, flaky, down)
//
// Nothing is faked. [Seed] writes what an operator would have typed;
// [BookingSystem] is an ordinary client of the JSON API, with a token;
// [Receivers] are ordinary servers on loopback that succeed and fail. The pages
// show the result, with [Schedule] instead of one that takes three days.
package demo

import "time"

// Schedule is the pause before each attempt, short enough to watch a delivery
// fail.
var Schedule = []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second}
