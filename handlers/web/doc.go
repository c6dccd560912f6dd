// Package web is what every surface of Bookhook needs of Fiber, and the one
// place where its quirks are dealt with.
//
// [NewServer] holds what requests have in common (the base URL, the trusted
// proxies); [Server.App] makes the Fiber application with the middleware that
// every request passes: a request id of our own, a deadline, security headers,
// recovery from panics, and the refusal of packed bodies and of addresses that
// fasthttp cannot read.
//
// A handler reads its input with the functions of form.go (path, query, forms)
// or object.go (JSON), and returns an error or writes an answer. [AsProblem]
// turns any error into a [Problem], a problem document of RFC 9457 that also has
// the words for a page; each surface shows it in its own way.
//
// Sessions are rows of the database behind a gorilla store ([Sessions]); gorilla
// is imported nowhere else.
//
// Quirks of Fiber and fasthttp that are dealt with here:
//
//   - strings of a request change once its handler returned: Immutable is set;
//   - the context of a request has no end: a deadline is set;
//   - what was written before an error would stay in front of it: [Failed] drops it;
//   - a body in chunks that is too large makes fasthttp forget whose request it
//     was: the heads of such requests are remembered (head.go);
//   - a connection closed before its body was read loses the answer: what is
//     left is read and dropped (drain.go);
//   - a group's middleware also runs for what is registered later, and for what
//     is not found: [Guarded] and [NoRoute];
//   - c.IP() believes whatever a header says: [Server.ClientIP].
package web
