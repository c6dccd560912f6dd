// Package web is what every surface of Bookhook needs of Fiber, and the one
// place where Fiber's quirks are handled.
//
// [Server] has what requests share (the base URL, the trusted proxies);
// [Server.App] creates the Fiber application with the middleware for every
// request: a request id, a deadline, security headers, recovery from panics, and
// the refusal of requests that servers may read differently (strict.go).
//
// No body is received before a handler or a guard takes it ([Server.TakeBody]),
// which knows whose request it is ([Identify]) and how large it may be: memory is
// allocated as bytes arrive, from a budget that all requests share (budget.go).
//
// A handler reads its input with the functions of form.go (path, query, forms)
// or object.go (JSON), and returns an error or writes a response. [AsProblem]
// turns any error into a [Problem], a problem document of RFC 9457 that also has
// the texts for a page; each surface shows it in its own way.
//
// Sessions are rows of the database behind a gorilla store ([Sessions]); gorilla
// is imported nowhere else.
//
// Quirks of Fiber and fasthttp that are handled here:
//
//   - strings of a request change after its handler has returned: Immutable is set;
//   - the context of a request never ends: a deadline is set;
//   - its compress middleware ignores weights and errors: [Compress];
//   - what was written before an error is sent before it: [Failed] drops it;
//   - fasthttp reads a body before the handler runs, or streams it and then reads it
//     whole, without a limit, for whoever asks for it: the stream is detached first,
//     and a handler gets the bytes that TakeBody has read (body.go);
//   - the response is lost if the connection is closed before the body was read: the
//     connection is told to read and discard the rest;
//   - a stream is written after the handler has returned, when its context has ended, and
//     within the deadline of one response: [Server.SendExport] has its own;
//   - the body of a response is given to others as soon as another is set: nothing that
//     is set refers to it (form.go);
//   - a panic outside of a handler ends the process: that of an error page is
//     recovered from, too;
//   - a group's middleware also runs for routes that are registered later, and for
//     addresses that do not exist: [Guarded] and [NoRoute];
//   - c.IP() trusts any header: [Server.ClientIP].
package web
