// Package checklist says what is left to do until an account's bookings arrive where
// they should: connect the booking platform, receive an event, create a webhook. The
// steps tick themselves: [Facts] are read from the database, and [Facts.Steps] is a pure
// function of them. Once they are done, or hidden by a person, the list is not shown.
package checklist

import (
	"time"

	"bookhook/webhook"
)

// Facts are what an account has got so far.
type Facts struct {
	Hidden    bool            // a person does not want to see the list
	CalledAt  time.Time       // when a platform called last, to some ten seconds; zero if none ever did
	Rejected  bool            // a request of a platform could not be read
	Event     webhook.EventID // the oldest that is kept, tests aside; 0 if there is none
	Channels  bool
	Tours     bool
	Webhook   bool
	Delivered bool // a webhook accepted an event, tests aside
	MailSetUp bool // the instance has a mail server
	Admin     bool // the person can give it one
	MailSent  bool // a message was sent: to a person of the account, or as a test
	Colleague bool // somebody else can sign in
}

// Step is one of the list.
type Step string

// The steps, in their order.
const (
	Platform  Step = "platform"  // a platform calls the account's address
	Event     Step = "event"     // the first event was received
	Items     Step = "items"     // channels and tours are there
	Webhook   Step = "webhook"   // the first was created
	Delivery  Step = "delivery"  // the first was accepted
	Mail      Step = "mail"      // the first e-mail was sent; a step only where there is a mail server, or for who can set one up
	Colleague Step = "colleague" // a second person can sign in
)

// Item is a step, and whether it is done.
type Item struct {
	Step Step
	Done bool
}

// Steps returns the steps of the account in their order.
func (f Facts) Steps() []Item {
	event := f.Event != 0
	steps := []Item{
		{Platform, event || f.Rejected || !f.CalledAt.IsZero()},
		{Event, event},
		{Items, f.Channels && f.Tours},
		{Webhook, f.Webhook},
		{Delivery, f.Delivered},
	}
	if f.MailSetUp || f.Admin {
		steps = append(steps, Item{Mail, f.MailSetUp && f.MailSent})
	}
	return append(steps, Item{Colleague, f.Colleague})
}

// Done returns how many steps are done, of how many.
func (f Facts) Done() (done, of int) {
	steps := f.Steps()
	for _, item := range steps {
		if item.Done {
			done++
		}
	}
	return done, len(steps)
}

// Shown reports whether the list is to be shown.
func (f Facts) Shown() bool {
	done, of := f.Done()
	return !f.Hidden && done < of
}
