// Package handlers is Bookhook as browsers and programs meet it: pages,
// sessions and forms for people, a JSON API for booking systems, and one that
// takes clients written for Prioticket's Distributor API (prio.go). What booking
// platforms send comes in by inbound.go; what is asked before a booking is
// confirmed, by them or by a booking system, by inline.go.
//
// [New] wires a Fiber application; routes.go has all routes on one screen.
// A handler reads its input, calls the store or the dispatcher, and returns an
// error or renders a page; one place (errors.go) turns errors into a status, a
// page or a problem document (RFC 9457), and one log line.
//
// Who may do what is decided in routes.go by the group a route stands in:
// everything but sign-in and health needs a session, changing things needs the
// operator's role, accounts need the admin's, the APIs need a token; a booking
// platform needs the account's address for it, /in/{platform}/{token}, and what
// it proves besides is the platform's own (inbound.go). Every call to the store
// names the account of the session, the token or the address, so that ids of
// another account are not found.
//
// Forms follow one habit: what is invalid is the same page again with what was
// typed, the problems, and status 422; what succeeded is 303 and a flash
// message. Posts from other origins are refused by the headers that browsers
// send (Sec-Fetch-Site, Origin), so forms carry no token.
package handlers
