// Package accept accepts connections as long as the process lives, whatever runs
// out.
//
// [Wrap] makes a [Listener] of another one. It differs in the following:
//
//   - An error of accept that may pass (no file, no memory, a connection that was
//     aborted) does not end the server: it waits, up to a second, and goes on.
//   - The connections are limited, in all and for each client address. When one too
//     many comes, the one that has been idle the longest is closed; if none is idle,
//     the one whose request has been arriving, or whose response has been leaving,
//     for the longest; if none waits for its client, the new one is refused with
//     503, or 429 if only its address has too many.
//   - A connection whose client may still be sending what nobody wants is read for a
//     while before it is closed ([Conn.SetLinger]); otherwise the client would not
//     get the response.
//
// The server says when a connection becomes idle and when a request begins
// ([Conn.SetIdle]). [Share] divides the files that the process may open between
// these connections and the rest of the program.
package accept
