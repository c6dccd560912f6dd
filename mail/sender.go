package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/mail"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"bookhook/webhook"
)

// Timeout is how long sending one message may take.
const Timeout = 30 * time.Second

// Sender sends messages through one server. It is safe for concurrent use.
type Sender struct {
	server Server
	from   mail.Address
}

// NewSender returns a Sender whose messages are from an address. Its name is
// "Bookhook" unless it has one.
func NewSender(server Server, from mail.Address) *Sender {
	from.Name = cmp.Or(from.Name, "Bookhook")
	return &Sender{server, from}
}

// Server returns HOST:PORT of the server.
func (s *Sender) Server() string { return s.server.Address() }

// From returns the address that messages are from.
func (s *Sender) From() string { return s.from.Address }

// Send sends a message. The server has taken it when Send returns nil; otherwise
// the error is a Failure.
func (s *Sender) Send(ctx context.Context, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // after Quit it is closed already
	if err := c.transfer(m, s.from); err != nil {
		return err
	}
	_ = c.Quit() // the server has the message
	return nil
}

// Checked is what a check found.
type Checked struct {
	Encrypted bool
	SignedIn  bool
}

// Check connects and signs in, and sends nothing. Its error is a Failure.
func (s *Sender) Check(ctx context.Context) (Checked, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	c, err := s.connect(ctx)
	if err != nil {
		return Checked{}, err
	}
	defer c.Close() //nolint:errcheck // after Quit it is closed already
	_ = c.Quit()    // all that was to be checked has been
	return Checked{Encrypted: c.encrypted, SignedIn: s.server.User != ""}, nil
}

// session is a connection to the server that is signed in.
type session struct {
	*smtp.Client
	server    Server
	remote    net.Addr
	encrypted bool
}

// connect connects to the server, encrypts the connection and signs in. The
// connection ends with ctx.
func (s *Sender) connect(ctx context.Context) (*session, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.server.Address())
	if err != nil {
		return nil, s.server.dialFailure(err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		err = conn.SetDeadline(deadline)
	}
	raw := conn
	context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Now()) })
	remote := conn.RemoteAddr()
	if err == nil && s.server.TLS {
		encrypted := tls.Client(conn, s.server.tls())
		conn, err = encrypted, encrypted.HandshakeContext(ctx)
	}
	if err != nil {
		_ = conn.Close()
		return nil, s.server.tlsFailure(err)
	}
	client, err := smtp.NewClient(conn, s.server.Host)
	if err != nil {
		_ = conn.Close()
		return nil, s.server.failure(stepGreeting, err)
	}
	c := &session{client, s.server, remote, s.server.TLS}
	if err := c.signIn(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func (s Server) tls() *tls.Config {
	return &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
}

// signIn encrypts the connection if the server can, and signs in.
func (c *session) signIn() error {
	if err := c.Hello(localName()); err != nil {
		return c.server.failure(stepGreeting, err)
	}
	if offered, _ := c.Extension("STARTTLS"); offered && !c.encrypted {
		if err := c.StartTLS(c.server.tls()); err != nil {
			return c.server.tlsFailure(err)
		}
		c.encrypted = true
	}
	if c.server.User == "" {
		return nil
	}
	if !c.encrypted && !loopback(c.remote) {
		return Failure{Message: webhook.NewMessage("mail.no_tls", c.server.Address()), Temporary: true}
	}
	offered, mechanisms := c.Extension("AUTH")
	auth := c.mechanism(mechanisms)
	if !offered || auth == nil {
		return Failure{Message: webhook.NewMessage("mail.no_sign_in", c.server.Address()), Temporary: true}
	}
	if err := c.Auth(auth); err != nil {
		return c.server.failure(stepSignIn, err)
	}
	return nil
}

// mechanism returns how to sign in, of what the server offers; nil if none is known.
func (c *session) mechanism(offered string) smtp.Auth {
	for name := range strings.FieldsSeq(strings.ToUpper(offered)) {
		switch name {
		case "PLAIN":
			return smtp.PlainAuth("", c.server.User, c.server.Password, c.server.Host, true)
		case "LOGIN":
			return smtp.LoginAuth(c.server.User, c.server.Password, c.server.Host, true)
		}
	}
	return nil
}

// transfer gives the server the message.
func (c *session) transfer(m Message, from mail.Address) error {
	msg, err := m.build(from, time.Now())
	if err != nil {
		return Failure{Message: webhook.NewMessage("mail.address", m.To), Cause: err}
	}
	if err := c.Mail(from.Address); err != nil {
		return c.server.failure(stepSender, err, from.Address)
	}
	if err := c.Rcpt(m.To); err != nil {
		return c.server.failure(stepRecipient, err, m.To)
	}
	data, err := c.Data()
	if err != nil {
		return c.server.failure(stepContent, err)
	}
	if _, err := msg.WriteTo(data); err != nil {
		return c.server.failure(stepContent, err)
	}
	if err := data.Close(); err != nil {
		return c.server.failure(stepContent, err)
	}
	return nil
}

func loopback(address net.Addr) bool {
	parsed, err := netip.ParseAddrPort(address.String())
	return err == nil && parsed.Addr().Unmap().IsLoopback()
}

// localName is how we introduce ourselves.
func localName() string {
	name, err := os.Hostname()
	if err != nil || oneLine(name) != name {
		return "localhost"
	}
	return cmp.Or(name, "localhost")
}
