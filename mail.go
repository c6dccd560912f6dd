package main

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"os"
	"strings"
	"time"

	"bookhook/mail"
	"bookhook/messages"
)

// mailFlags say how Bookhook sends messages by e-mail, for serve and doctor.
type mailFlags struct {
	Server mailServer  `setting:"" name:"mail" placeholder:"URL" help:"The SMTP server that sends e-mail, such as smtp://USER:PASSWORD@mail.example.com:587 (STARTTLS if it is offered) or smtps://… Default: none, so no e-mail is sent."`
	File   mailFile    `setting:"" name:"mail-file" placeholder:"FILE" help:"A file with that URL, which keeps the password out of the list of processes."`
	From   mailAddress `setting:"" name:"mail-from" placeholder:"ADDRESS" help:"The address that e-mail is from, such as bookhook@example.com; required with --mail."`
}

// validate checks flags that depend on one another.
func (f mailFlags) validate() error {
	has := f.Server.Host != "" || f.File != ""
	switch {
	case f.Server.Host != "" && f.File != "":
		return problem{"--mail-file", "give the URL of the mail server once: as --mail or in a file"}
	case has && f.From.Address == "":
		return problem{"--mail-from", "give the address that e-mail is from, such as bookhook@example.com"}
	case !has && f.From.Address != "":
		return problem{"--mail", "give the URL of the mail server, such as smtp://USER:PASSWORD@mail.example.com:587"}
	}
	return nil
}

// sender returns what sends e-mail; nil if that is not set up.
func (f mailFlags) sender() (*mail.Sender, error) {
	server := mail.Server(f.Server)
	if f.File != "" {
		text, err := os.ReadFile(string(f.File))
		if err != nil {
			return nil, fmt.Errorf("read --mail-file: %w", err)
		}
		if server, err = mail.ParseServer(string(text)); err != nil {
			return nil, fmt.Errorf("the file of --mail-file, %s: %w", f.File, err)
		}
	}
	if server.Host == "" {
		return nil, nil
	}
	return mail.NewSender(server, netmail.Address(f.From)), nil
}

// mailServer is an SMTP server; the zero value is none.
type mailServer mail.Server

// UnmarshalText reads the URL of a server; what it refuses it does not repeat, since
// there may be a password in it.
func (s *mailServer) UnmarshalText(text []byte) error {
	server, err := mail.ParseServer(string(text))
	*s = mailServer(server)
	return err
}

// mailFile is the file with the URL of an SMTP server; "" if not given.
type mailFile string

// UnmarshalText refuses an empty path, which a script with an unset variable gives.
func (f *mailFile) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("give the path of a file with the URL of a mail server")
	}
	*f = mailFile(text)
	return nil
}

// mailAddress is the address that messages are from, and perhaps a name.
type mailAddress netmail.Address

// UnmarshalText reads an address, or a name and an address in angle brackets.
func (a *mailAddress) UnmarshalText(text []byte) error {
	address, err := netmail.ParseAddress(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("%q is not an address such as bookhook@example.com", text)
	}
	*a = mailAddress(*address)
	return nil
}

// mailCheckTimeout is how long doctor waits for the mail server.
const mailCheckTimeout = 15 * time.Second

// checkMail connects to the mail server and signs in, and sends nothing.
func (r *report) checkMail(ctx context.Context, flags mailFlags) {
	sender, err := flags.sender()
	switch {
	case err != nil:
		r.bad("mail", "%s", oneLine(err))
		return
	case sender == nil:
		r.ok("mail", "none is sent, since there is no --mail: nobody is invited by e-mail, and forgotten passwords are for an operator")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, mailCheckTimeout)
	defer cancel()
	checked, err := sender.Check(ctx)
	if failure, failed := errors.AsType[mail.Failure](err); failed {
		r.bad("mail", "%s", messages.Text(failure.Message))
		return
	}
	encrypted, signedIn := "without encryption", "without a sign-in"
	if checked.Encrypted {
		encrypted = "encrypted"
	}
	if checked.SignedIn {
		signedIn = "and the sign-in works"
	}
	r.ok("mail", "the server %s answers, %s, %s; whether it takes messages from %s shows a test message under Settings, Mail", sender.Server(), encrypted, signedIn, sender.From())
}
