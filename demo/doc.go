// Package demo is what "bookhook demo" shows: a sample account, three receivers
// and a booking system that never sleeps.
//
//	Shop ──POST /api/v1/events──▶ Bookhook ──deliveries──▶ Receivers (healthy, flaky, down)
//
// Nothing is staged. [Seed] writes what an operator would have typed;
// [Shop.Run] is an ordinary user of the JSON API, with a token; [Receivers]
// are ordinary servers on loopback that behave and misbehave. What the pages
// show comes of that, with [Schedule] instead of one that takes three days.
package demo

import "time"

// Schedule is the pause before each try, short enough to watch one fail.
var Schedule = []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second}
