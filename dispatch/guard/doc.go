// Package guard makes Bookhook's outbound connections. [Guard] decides which
// addresses may be called; [NewTransport] is the HTTP transport of deliveries
// and of requests to platforms, with the guard in its dialer; [Classify] explains
// the errors of that transport.
//
// The guard refuses addresses that are not of the public internet: loopback,
// private, link-local, shared (CGNAT), multicast, documentation and metadata
// addresses, and the IPv6 forms of all of them. The administrator allows others
// with the setting --allow-private-targets ([New]).
//
// The reason of a failure is decided by the types of errors and never by their
// text. It is stored with a message, which package messages turns into a
// sentence.
package guard
