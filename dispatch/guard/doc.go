// Package guard makes Bookhook's outbound connections. [Guard] decides which
// addresses may be called; [Transport] makes the requests of deliveries and those
// to platforms, with the guard in its dialer; [Classify] explains its errors.
//
// One call of a transport is one request on the wire, and [Wire] says what was
// observed of it. [NewRequest] gives the host the one form in which it is looked up,
// sent and logged. Connections are kept for an account only ([Transport.SendKept]),
// and close when something arrives that no request asked for: net/http writes the
// requests and reads the responses, on connections of our own.
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
