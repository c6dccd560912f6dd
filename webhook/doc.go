// Package webhook is the domain of Bookhook, free of HTTP, SQL and clocks.
//
// A tour operator (an [Account]) has up to ten asynchronous [Webhook]s: a URL
// with three filters (events, channels, tours). When something happens to a
// booking, an [Event] comes in and [Match] decides for every webhook of the
// account whether it is told; each decision carries its reason, so that
// "why was this booking not sent?" always has an answer. A match becomes a
// [Delivery], one event for one webhook, which lives through one or more
// [Attempt]s, each one HTTP request, until it is delivered or given up.
//
//	Event ──Match──▶ Decision ──▶ Delivery ──▶ Attempt, Attempt, … (NextTry says when)
//
// A webhook of the kind [Inline] is not told but asked, before a booking is
// confirmed: its delivery is one attempt, of which the [Verdict] is read.
//
// A [Draft] is a webhook in the making, one step of the wizard at a time;
// [Draft.Webhook] is the only road from a draft to a webhook.
//
// Everything here is a value or a pure function: the time and random numbers
// are arguments. The package imports the standard library only, and the
// snowflake package that makes [ID]s.
package webhook
