// Package views holds the pages as templ components that show what they are
// given.
//
// Every page is one component with one props struct: values of package webhook
// where they fit, plain fields elsewhere. Components build their own addresses
// from ids ([href.go] has all of them), decide nothing about rights but what
// to show ([webhook.Role.CanConfigure]), and never read a clock: [Page] brings
// the time, the account's time zone, the person and the theme.
//
// A form that was refused is the same page again, with Problems set and the
// typed values kept in its props; its component says which address it posts to
// and under which field names. Problems are keyed by those field names.
//
// All words that need thought are plain functions, tested as tables: [Sentence]
// says what a webhook is told of, [StoryOf] what became of a delivery,
// [ReasonText] why an event was not sent.
package views
