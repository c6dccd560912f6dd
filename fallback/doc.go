// Package fallback decides what goes by e-mail to the back office while a webhook fails,
// so that people can enter bookings by hand and nobody enters one twice. It is pure:
// package db stores what it decides, and package notices writes the messages.
//
// While an outage of the webhook is open (see package incidents), what has not arrived
// goes once an hour to an address that was confirmed by a link: each message lists only
// what no earlier one did, so each booking is the task of one message. A delivery that
// failed for good after it was listed as waiting is listed once more, since the message
// before promised that it arrives by itself. What was skipped while Bookhook had the
// webhook switched off is listed, too. When the outage is over, the address changes or
// the webhook is deleted, a last message says what became of what was listed.
//
//	fallback.go when a message is due, and what it lists
//	sheet.go    the list as a file for a spreadsheet
package fallback
