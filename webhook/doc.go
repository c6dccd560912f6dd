// Package webhook is the domain of Bookhook, free of HTTP, SQL and clocks.
//
// A tour operator (an [Account]) has up to ten asynchronous [Webhook]s: a URL
// with three filters (events, channels, tours) and a few options, its [Config].
// When something happens to a booking, an [Event] is received, and [Match]
// decides for every webhook of the account whether the webhook receives it. Each
// decision carries its reason, so that "why was this booking not sent?" always has
// an answer. A match becomes a [Delivery], one event for one webhook, which takes
// one or more [Attempt]s, each one HTTP request, until it is delivered or has
// failed for good.
//
//	Event ──Match──▶ Decision ──▶ Delivery ──▶ Attempt, Attempt, … (NextAttempt says when)
//
// Matching happens before anything is stored: [Subscriptions] are what it needs
// to know about an account, at one revision, and a [Plan] is events with their
// decisions, which the store accepts as long as that revision is current.
//
// A webhook of the kind [Inline] is called before a booking is confirmed: its
// delivery has one attempt, whose response is read as an [InlineAnswer].
//
// A [Draft] is an unfinished webhook, filled in one step of the wizard at a time;
// [Draft.Webhook] is the only way from a draft to a webhook.
//
// A text for people is a [Message] here, a code with its arguments; package
// messages turns it into a sentence. Every kind of record has an [ID] type of its
// own, and who changes something, and when, is one [Change].
//
// Everything here is a value or a pure function, except for the functions that
// create secrets and IDs: the time and the jitter of a pause are arguments. The
// package imports only the standard library, the snowflake package that generates
// IDs, and the one that maps international host names. README.md in this folder
// shows how an option of a webhook is added.
package webhook
