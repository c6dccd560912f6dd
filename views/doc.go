// Package views holds the pages as templ components that show what they are
// given.
//
// Every page is one component with one props struct: values of package webhook
// where they fit, plain fields elsewhere. Components build their own addresses
// from ids ([href.go] has all of them), decide about rights only what to
// show ([webhook.Role.CanConfigure]), and never read a clock: [Page] has the time,
// the account's time zone, the person and the theme.
//
// A form that was refused is the same page again, with Problems set and the
// typed values kept in its props. The component documents the address that the
// form posts to and its field names, which are the keys of Problems.
//
// Texts that depend on more than one value are plain functions with table tests:
// [Sentence] says what a webhook receives, [StoryOf] what became of a delivery,
// [ReasonText] why an event was not sent. What is said of a failed attempt is in
// failure.go. Texts about one booking platform are not here: its folder has them.
package views
