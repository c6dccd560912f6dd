// Package mail sends messages by e-mail, through one SMTP server. It is the only
// package that knows SMTP.
//
// [ParseServer] reads where the server is and how to sign in there, from a URL:
//
//	smtp://USER:PASSWORD@HOST:PORT   encrypted by STARTTLS if the server offers it
//	smtps://USER:PASSWORD@HOST:PORT  encrypted from the first byte
//
// USER and PASSWORD may be left out, and so may PORT: 587 with a password, 25
// without, 465 for smtps. A password is never sent without encryption, except to
// this machine. The certificate of the server must be one that the system trusts.
//
// [Sender.Send] opens a connection for each message, and takes 30 seconds at most.
// Its error is a [Failure], which says what is wrong as a code with arguments and
// whether it is worth trying again. [Sender.Check] does all but send a message.
package mail
