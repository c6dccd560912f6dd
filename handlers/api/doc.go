// Package api is Bookhook's JSON API, as booking systems use it: events in,
// deliveries and webhooks to read and change, channels and tours, and the call
// before a booking is confirmed (inline.go).
//
// [New] makes the handlers. [API.Bearer] is the guard in front of all but the
// description of the API, which is openapi.json: every operation is in it, and
// the tests of package handlers hold each request and answer against it.
//
// A handler reads its body with [web.Object], which notes all that is wrong under
// the path of the field and refuses unknown fields, or its query with
// readQuery; it returns an error, which [API.ShowError] shows as a problem
// document (RFC 9457), or sends JSON. Types named …JSON are what is sent.
//
// Every call to the store names the account of the token, so that ids of another
// account are not found.
package api
