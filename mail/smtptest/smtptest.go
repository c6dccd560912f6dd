// Package smtptest runs a real SMTP server on this machine, for tests: it keeps the
// messages that it takes, and refuses what a test wants refused.
package smtptest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Options say how the server behaves. The zero value takes every message, without
// encryption and without a sign-in.
type Options struct {
	Certificate *tls.Certificate // nil: no encryption is offered
	TLS         bool             // it is encrypted from the first byte, not by STARTTLS
	Password    string           // of the user "bookhook"; "": there is no sign-in
	Mechanism   string           // of the sign-in: "PLAIN" (also "") or "LOGIN"
	Mail, Rcpt  func(address string) error
}

// User is who can sign in.
const User = "bookhook"

// Reply returns an error that the server sends as it is.
func Reply(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: text}
}

// Server is a running SMTP server.
type Server struct {
	Host, Port string
	Messages   chan Message // what it took
	options    Options
}

// Message is a message that the server took.
type Message struct {
	From, To  string // of the envelope
	Encrypted bool
	SignedIn  bool
	Header    mail.Header // decoded
	Text      string
	HTML      string
	Files     []File
	Raw       string
}

// File is a file that came with a message.
type File struct {
	Name, Type string
	Content    []byte
}

// Start starts a server, which stops when the test ends.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s := &Server{Messages: make(chan Message, 1000), options: o}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: s, conn: c}, nil
	}))
	server.AllowInsecureAuth, server.EnableSMTPUTF8, server.Domain = true, true, "localhost"
	server.ErrorLog = silent{}
	var listener net.Listener
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	if o.Certificate != nil {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*o.Certificate}}
	}
	s.Host, s.Port, _ = net.SplitHostPort(listener.Addr().String())
	if o.TLS {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	go server.Serve(listener) //nolint:errcheck // it ends with Close
	tb.Cleanup(func() { _ = server.Close() })
	return s
}

// silent drops what clients do wrong: tests do so on purpose.
type silent struct{}

// Printf implements smtp.Logger.
func (silent) Printf(string, ...any) {}

// Println implements smtp.Logger.
func (silent) Println(...any) {}

// Next returns the next message.
func (s *Server) Next(tb testing.TB) Message {
	tb.Helper()
	select {
	case m := <-s.Messages:
		return m
	case <-time.After(20 * time.Second):
		tb.Fatal("no message within 20 s")
		return Message{}
	}
}

// session implements smtp.AuthSession.
type session struct {
	server *Server
	conn   *smtp.Conn
	signed bool
	from   string
	to     string
}

// Reset implements smtp.Session.
func (s *session) Reset() {}

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	switch {
	case s.server.options.Password == "":
		return nil
	case s.server.options.Mechanism == "":
		return []string{sasl.Plain}
	}
	return []string{s.server.options.Mechanism}
}

func (s *session) check(user, password string) error {
	if user != User || password != s.server.options.Password {
		return smtp.ErrAuthFailed
	}
	s.signed = true
	return nil
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	if mechanism == sasl.Login {
		return &login{check: s.check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return s.check(user, password) }), nil
}

// login is the server's half of AUTH LOGIN.
type login struct {
	check func(user, password string) error
	user  string
	asked int
}

// Next implements sasl.Server.
func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	l.asked++
	switch l.asked {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.user, string(response))
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.options.Password != "" && !s.signed {
		return smtp.ErrAuthRequired
	}
	s.from = from
	if refuse := s.server.options.Mail; refuse != nil {
		return refuse(from)
	}
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	if refuse := s.server.options.Rcpt; refuse != nil {
		return refuse(to)
	}
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, encrypted := s.conn.TLSConnectionState()
	m := Message{From: s.from, To: s.to, Encrypted: encrypted, SignedIn: s.signed, Raw: string(raw)}
	if err := m.parse(raw); err != nil {
		return Reply(554, err.Error())
	}
	s.server.Messages <- m
	return nil
}

// parse reads the header and the parts.
func (m *Message) parse(raw []byte) error {
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	m.Header = mail.Header{}
	for name, values := range parsed.Header {
		for _, value := range values {
			text, err := new(mime.WordDecoder).DecodeHeader(value)
			if err != nil {
				return err
			}
			m.Header[name] = append(m.Header[name], text)
		}
	}
	return m.parseParts(parsed.Header.Get("Content-Type"), parsed.Body)
}

// parseParts reads the parts of a body, and those of parts that have some.
func (m *Message) parseParts(contentType string, body io.Reader) error {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := m.parsePart(part); err != nil {
			return err
		}
	}
}

func (m *Message) parsePart(part *multipart.Part) error {
	kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if strings.HasPrefix(kind, "multipart/") {
		return m.parseParts(part.Header.Get("Content-Type"), part)
	}
	var decoded io.Reader = quotedprintable.NewReader(part)
	if part.Header.Get("Content-Transfer-Encoding") == "base64" {
		decoded = base64.NewDecoder(base64.StdEncoding, part)
	}
	content, err := io.ReadAll(decoded)
	switch {
	case err != nil:
		return err
	case part.FileName() != "":
		m.Files = append(m.Files, File{part.FileName(), part.Header.Get("Content-Type"), content})
	case kind == "text/html":
		m.HTML = string(content)
	default:
		m.Text = string(content)
	}
	return nil
}

// NewCertificate returns a certificate for 127.0.0.1 and localhost,
// and the PEM of what has to be trusted for it: itself.
func NewCertificate() (certificate *tls.Certificate, trust []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test mail server"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
