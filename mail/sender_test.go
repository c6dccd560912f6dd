package mail_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bookhook/mail"
	"bookhook/mail/smtptest"
	"bookhook/messages"
)

// trusted is the certificate that this process trusts, as it would one of a public
// authority.
var trusted *tls.Certificate

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	certificate, trust, err := smtptest.NewCertificate()
	if err != nil {
		panic(err)
	}
	folder, err := os.MkdirTemp("", "mail")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	file := filepath.Join(folder, "ca.pem")
	if err := os.WriteFile(file, trust, 0o600); err != nil {
		panic(err)
	}
	if err := os.Setenv("SSL_CERT_FILE", file); err != nil { // read once, when the first certificate is checked
		panic(err)
	}
	trusted = certificate
	return m.Run()
}

var from = netmail.Address{Name: "Zoë’s “Boats” 🎟", Address: "bookhook@example.com"}

// newSender returns a Sender for a server; the scheme is that of its URL.
func newSender(t *testing.T, scheme, user string, s *smtptest.Server) *mail.Sender {
	t.Helper()
	server, err := mail.ParseServer(scheme + "://" + user + net.JoinHostPort(s.Host, s.Port))
	if err != nil {
		t.Fatal(err)
	}
	return mail.NewSender(server, from)
}

func message() mail.Message {
	return mail.Message{
		ID: "out_1", To: "anna@example.com", Subject: "Späte Buchung 🎟 auf der „Möwe“ und noch mehr, damit die Zeile umbrochen wird", Text: "Grüße\nan alle\n", HTML: "<p>Grüße</p>",
		Unsubscribe: "https://hooks.example.com/leave?token=abc",
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options      smtptest.Options
		scheme, user string
	}{
		"plain":            {smtptest.Options{}, "smtp", ""},
		"STARTTLS":         {smtptest.Options{Certificate: trusted}, "smtp", ""},
		"PLAIN, STARTTLS":  {smtptest.Options{Certificate: trusted, Password: "p@ss: w/ürd"}, "smtp", "bookhook:p%40ss%3A%20w%2F%C3%BCrd@"},
		"LOGIN, STARTTLS":  {smtptest.Options{Certificate: trusted, Password: "secret", Mechanism: "LOGIN"}, "smtp", "bookhook:secret@"},
		"PLAIN, smtps":     {smtptest.Options{Certificate: trusted, TLS: true, Password: "secret"}, "smtps", "bookhook:secret@"},
		"PLAIN, this host": {smtptest.Options{Password: "secret"}, "smtp", "bookhook:secret@"},
		"LOGIN, this host": {smtptest.Options{Password: "secret", Mechanism: "LOGIN"}, "smtp", "bookhook:secret@"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := smtptest.Start(t, c.options)
			sender := newSender(t, c.scheme, c.user, server)
			checked, err := sender.Check(t.Context())
			if want := (mail.Checked{Encrypted: c.options.Certificate != nil, SignedIn: c.user != ""}); err != nil || checked != want {
				t.Errorf("check: got %+v and %v, want %+v", checked, err, want)
			}
			want := message()
			if err := sender.Send(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			got := server.Next(t)
			if got.From != from.Address || got.To != want.To || got.Text != strings.ReplaceAll(want.Text, "\n", "\r\n") || got.HTML != want.HTML {
				t.Errorf("got %+v", got)
			}
			if got.Encrypted != checked.Encrypted || got.SignedIn != checked.SignedIn {
				t.Errorf("got encrypted %v and signed in %v, want %+v", got.Encrypted, got.SignedIn, checked)
			}
			parsed, err := got.Header.AddressList("From")
			if err != nil || *parsed[0] != from {
				t.Errorf("from: got %v and %v, want %v", parsed, err, from)
			}
			for name, want := range map[string]string{
				"Subject": want.Subject, "To": "<anna@example.com>", "Message-Id": "<out_1@example.com>", "Auto-Submitted": "auto-generated",
				"List-Unsubscribe": "<https://hooks.example.com/leave?token=abc>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
			} {
				if got := got.Header.Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestNoInjection: whatever somebody names a webhook, it adds no header.
func TestNoInjection(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	sender := newSender(t, "smtp", "", server)
	for _, evil := range []string{"a\r\nBcc: eve@example.com", "a\nBcc: eve@example.com\n\nHello", "a\rBcc: eve@example.com", "a\u2028Bcc: eve@example.com", "a\x00\x85Bcc: eve@example.com"} {
		m := message()
		m.Subject, m.Unsubscribe, m.ID = evil, "https://example.com/"+evil, evil
		if err := sender.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		got := server.Next(t)
		if got.Header.Get("Bcc") != "" || len(got.Header) != 10 || got.HTML != m.HTML {
			t.Errorf("%q: got %d headers:\n%s", evil, len(got.Header), got.Raw)
		}
		m.To = evil
		if err := sender.Send(t.Context(), m); err == nil {
			t.Errorf("sent to %q", m.To)
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	other, _, err := smtptest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(code int, text string) func(string) error {
		return func(string) error { return smtptest.Reply(code, text) }
	}
	for name, c := range map[string]struct {
		options      smtptest.Options
		scheme, user string
		code, text   string
		temporary    bool
	}{
		"wrong password":      {smtptest.Options{Certificate: trusted, Password: "secret"}, "smtp", "bookhook:guess@", "mail.sign_in", "refused the sign-in: “535", true},
		"wrong password, 2":   {smtptest.Options{Certificate: trusted, Password: "secret", Mechanism: "LOGIN"}, "smtp", "bookhook:guess@", "mail.sign_in", "Check user and password", true},
		"no sign-in":          {smtptest.Options{Certificate: trusted}, "smtp", "bookhook:secret@", "mail.no_sign_in", "offers no sign-in", true},
		"sign-in is missing":  {smtptest.Options{Password: "secret"}, "smtp", "", "mail.sender", "Please authenticate first", false},
		"sender refused":      {smtptest.Options{Mail: refuse(553, "not your domain")}, "smtp", "", "mail.sender", "does not accept messages from bookhook@example.com: “553 not your domain”", false},
		"recipient refused":   {smtptest.Options{Rcpt: refuse(550, "no such user")}, "smtp", "", "mail.recipient", "does not accept messages to anna@example.com: “550 no such user”", false},
		"greylisted":          {smtptest.Options{Rcpt: refuse(451, "try again in five minutes")}, "smtp", "", "mail.later", "asked to try again later: “451 try again in five minutes”", true},
		"not trusted":         {smtptest.Options{Certificate: other}, "smtp", "", "mail.certificate", "is not trusted, so nothing was sent to it (certificate signed by unknown authority", true},
		"not trusted, smtps":  {smtptest.Options{Certificate: other, TLS: true}, "smtps", "", "mail.certificate", "unknown authority", true},
		"smtps where smtp is": {smtptest.Options{}, "smtps", "", "mail.not_tls", "does not begin with TLS", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := smtptest.Start(t, c.options)
			err := newSender(t, c.scheme, c.user, server).Send(t.Context(), message())
			wantFailure(t, err, c.code, c.text, c.temporary)
			if strings.Contains(fmt.Sprint(err), "guess") || len(server.Messages) != 0 {
				t.Errorf("%v; %d messages", err, len(server.Messages))
			}
		})
	}
}

func wantFailure(t *testing.T, err error, code, text string, temporary bool) {
	t.Helper()
	failure, ok := errors.AsType[mail.Failure](err)
	if !ok || failure.Message.Code != code || failure.Temporary != temporary || !strings.Contains(messages.Text(failure.Message), text) {
		t.Errorf("got %v (%s), want %s, temporary: %v, with %q", err, messages.Text(failure.Message), code, temporary, text)
	}
}

// TestSilence: a server that says nothing, at whatever step, ends in time.
func TestSilence(t *testing.T) {
	t.Parallel()
	for name, conversation := range map[string]string{"at once": "", "after the greeting": "220 hello\r\n"} {
		for _, scheme := range []string{"smtp", "smtps"} {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					defer conn.Close() //nolint:revive // it is to hang until the end
					_, _ = conn.Write([]byte(conversation))
				}
			}()
			if scheme == "smtps" && conversation != "" {
				continue // that is not TLS
			}
			server, err := mail.ParseServer(scheme + "://" + listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			begun := time.Now()
			wantFailure(t, mail.NewSender(server, from).Send(ctx, message()), "mail.timeout", "did not answer in time", true)
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("%s, %s: took %s", scheme, name, took)
			}
		}
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	for url, want := range map[string][2]string{
		"smtp://" + address:               {"mail.refused", "No mail server is listening at " + address},
		"smtp://mail.bookhook.invalid:25": {"mail.host", "There is no mail server mail.bookhook.invalid"},
	} {
		server, err := mail.ParseServer(url)
		if err != nil {
			t.Fatal(err)
		}
		wantFailure(t, mail.NewSender(server, from).Send(t.Context(), message()), want[0], want[1], true)
	}
}

// TestPasswordNeedsEncryption: it is not sent in plain text to another machine.
func TestPasswordNeedsEncryption(t *testing.T) {
	t.Parallel()
	address := ""
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			address = n.IP.String()
		}
	}
	if address == "" {
		t.Skip("this machine has no address but its own")
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	said := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Write([]byte("220 hello\r\n"))
		buffer := make([]byte, 4096)
		_, _ = conn.Read(buffer)
		_, _ = conn.Write([]byte("250-hello\r\n250 AUTH PLAIN\r\n"))
		n, _ := conn.Read(buffer)
		said <- string(buffer[:n])
	}()
	server, err := mail.ParseServer("smtp://bookhook:secret@" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, mail.NewSender(server, from).Send(t.Context(), message()), "mail.no_tls", "the password was not sent", true)
	if got := <-said; strings.Contains(got, "AUTH") {
		t.Errorf("sent %q", got)
	}
}

func TestParseServer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]mail.Server{
		"smtp://mail.example.com":              {Host: "mail.example.com", Port: "25"},
		"smtp://me:p%40ss@mail.example.com":    {Host: "mail.example.com", Port: "587", User: "me", Password: "p@ss"},
		"smtps://me:pass@mail.example.com/":    {Host: "mail.example.com", Port: "465", User: "me", Password: "pass", TLS: true},
		"smtp://me%40example.com:x@[::1]:25\n": {Host: "::1", Port: "25", User: "me@example.com", Password: "x"},
	} {
		if got, err := mail.ParseServer(text); err != nil || got != want {
			t.Errorf("%s: got %+v and %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "mail.example.com:25", "http://mail.example.com", "smtp://", "smtp://me:geh/eim@mail.example.com", "smtp://me:geheim%@mail.example.com", "smtp://geheim@mail.example.com",
		"smtp://:geheim@mail.example.com", "smtp://me:geheim@mail.example.com:0", "smtp://me:geheim@mail.example.com:x", "smtp://me:geheim@mail.example.com/path", "smtp://me:geheim@mail.example.com?x=1",
	} {
		if got, err := mail.ParseServer(text); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: got %+v and %v, want an error without the password", text, got, err)
		}
	}
}
