// Package inbound receives the webhooks of booking platforms: each account has an
// address for each platform, /in/{platform}/{token}, whose token authenticates the
// sender. Further authentication is up to the platform.
//
// [Inbound.Receive] reads a request with the platform's own code, stores it as an
// event and starts its deliveries, once for each notification, however often it
// is sent. What cannot be read is stored in the account's list of rejected
// requests for seven days (rejected.go). Platforms that ask before they confirm a
// booking get the answer of the account's inline webhook (inline.go).
//
// Errors are problem documents (RFC 9457); they are for the person who sets up
// the platform.
package inbound
