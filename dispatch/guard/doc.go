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
// A reason comes from the types of the errors and never from their text. It is
// stored with a message, of which package messages makes the sentence.
package guard
