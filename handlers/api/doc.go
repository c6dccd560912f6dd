// Package api is Bookhook's JSON API for booking systems: sending events, reading
// and changing deliveries and webhooks, channels and tours, and the call before a
// booking is confirmed (inline.go).
//
// [New] creates the handlers. [API.Bearer] is the guard of all addresses but that of
// the API's description, openapi.json, which has every operation: the tests of
// package handlers validate each request and response against it.
//
// A handler reads its body with [web.Object], which collects all problems by the
// path of the field and refuses unknown fields, or its query with readQuery. It
// sends JSON, or returns an error, which [API.ShowError] sends as a problem
// document (RFC 9457). Types named …JSON are what is sent.
//
// Every call to the store names the account of the token, so that ids of another
// account are not found.
package api
