// Package handlers is Bookhook as browsers and programs meet it. It wires the
// four surfaces and has their addresses; what they do is in their packages:
//
//   - handlers/pages, for people: pages, sessions and forms;
//   - handlers/api, for booking systems: the JSON API;
//   - handlers/inbound, for booking platforms: /in/{platform}/{token};
//   - handlers/prio, for clients of Prioticket's Distributor API.
//
// None of them knows another. What they share of Fiber is in handlers/web, passwords,
// tokens and sessions in auth.
//
// [New] makes a Fiber application; routes.go has all addresses on one screen. A
// handler reads its input, calls the store or the dispatcher, and returns an
// error or writes an answer. app.go turns errors into a problem (package web),
// logs those with a status from 500 on, and lets the surface of the address show
// it.
//
// Who may do what is decided in routes.go by the group a route is in: everything
// but sign-in and health needs a session, changing things needs the operator's
// role, accounts need the admin's, the APIs need a token, and a booking platform
// needs the account's address for it.
//
// GET /healthz answers 200 when the database answers within three seconds and the
// dispatcher is alive; it writes nothing.
package handlers
