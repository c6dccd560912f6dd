// Package handlers is the HTTP server. It wires the four surfaces and has their
// addresses; what they do is in their packages:
//
//   - handlers/pages, for people: pages, sessions and forms;
//   - handlers/api, for booking systems: the JSON API;
//   - handlers/inbound, for booking platforms: /in/{platform}/{token};
//   - handlers/prio, for clients of Prioticket's Distributor API.
//
// None of them imports another. What they all need of Fiber is in handlers/web;
// passwords, tokens and sessions are in auth.
//
// [New] creates a Fiber application; routes.go has all addresses on one screen. A
// handler reads its input, calls the store or the dispatcher, and returns an
// error or writes a response. app.go turns an error into a problem (package web),
// logs it if its status is 500 or more, and lets the surface of the address show
// it.
//
// Who may do what is decided in routes.go by the group of a route: all pages but
// sign-in need a session, changes need the role of an operator, accounts that of an
// admin, the APIs need a token, and a booking platform needs the account's address
// for it.
//
// GET /healthz, and GET /readyz likewise, returns 200 if the database responds within three seconds and the
// dispatcher is running; it writes nothing.
package handlers
