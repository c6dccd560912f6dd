// Package notices writes the messages that Bookhook sends by e-mail, and sends what
// is in the outbox.
//
// A message is queued as a kind with arguments, in the transaction of the fact that
// causes it: methods of the store call its enqueue, and its Enqueue is for what
// has no other fact. The [Worker] takes what is due, one message at a time, writes
// it and gives it to the mail server. It is woken after each change that queued
// something, sleeps until the next message is due, and looks once in a while for
// those of other processes. What could not be sent for now is tried again for about
// a day, with growing pauses. Several processes share the work: a message that is
// being sent is leased, so that it is sent twice only after a crash.
//
// The [Watcher] finds out what is wrong, and stores which incidents begin and end by
// what package incidents decides; the messages about them are queued with that, and so
// is the event for webhooks that select Bookhook's own, which says the same.
//
// By package fallback it decides, in the same look, which bookings of a failing webhook
// go to an address of its choice.
//
// A kind is one entry in kinds: a function that makes a letter of the arguments,
// which are JSON. It returns [webhook.ErrNotFound] if what the message is about no
// longer exists; then nothing is sent. letter.templ and [letter.text] show every
// letter in HTML and in plain text. A link with a one-time token gets its token when
// its message is written, and only the token's hash is stored.
//
//	worker.go    takes, sends, tries again
//	kinds.go     the table of kinds, and what they share
//	people.go    invitations and forgotten passwords
//	watcher.go   looks for incidents
//	incident.go  messages about them
//	event.go     events about them, for webhooks
//	outage.go    those about a webhook that fails
//	fallback.go  its bookings, for those who enter them by hand
//	listing.go   what such a message lists
//	letter.templ how a letter looks
package notices
