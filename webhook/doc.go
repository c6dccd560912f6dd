// Package webhook is the domain of Bookhook, free of HTTP, SQL and clocks.
//
// A tour operator (an [Account]) has up to ten asynchronous [Webhook]s: a URL
// with three filters (events, channels, tours) and a few options, its [Config].
// When something happens to a booking, an [Event] is received, and [Match]
// decides for every webhook of the account whether the webhook receives it. Each
// decision carries its reason, so that "why was this booking not sent?" always has
// an answer. A match becomes a [Delivery], one event for one webhook, which is
// made in one or more [Attempt]s, each one HTTP request, until the event is
// delivered or given up.
//
//	Event ──Match──▶ Decision ──▶ Delivery ──▶ Attempt, Attempt, … (NextAttempt says when)
//
// The match happens before anything is stored: [Subscriptions] are what it needs
// of an account, as they were at a revision, and a [Plan] is events with their
// decisions, which the store accepts while that revision holds.
//
// A webhook of the kind [Inline] is called before a booking is confirmed: its
// delivery has one attempt, of which the [InlineAnswer] is read.
//
// A [Draft] is a webhook in the making, one step of the wizard at a time;
// [Draft.Webhook] is the only way from a draft to a webhook.
//
// What people read is a [Message] here, a code with its arguments; the package
// messages makes the sentence. Every kind of thing has an [ID] type of its own,
// and who changes something, and when, is one [Change].
//
// Everything here is a value or a pure function: the time and random numbers
// are arguments. The package imports the standard library only, and the
// snowflake package that makes IDs. README.md in this folder shows how an option
// of a webhook is added.
package webhook
