package mail

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Server is an SMTP server and how to sign in there.
type Server struct {
	Host, Port     string
	User, Password string // "": it takes messages without a sign-in
	TLS            bool   // encrypted from the first byte
}

// Address returns HOST:PORT.
func (s Server) Address() string { return net.JoinHostPort(s.Host, s.Port) }

// ParseServer reads the URL of a server. Its errors never repeat the URL, which may
// have a password.
func ParseServer(text string) (Server, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		return Server{}, errors.New("this is not a URL such as smtp://USER:PASSWORD@mail.example.com:587; write special characters of the password as %XX, such as %40 for @")
	case u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "":
		return Server{}, errors.New("use a URL such as smtp://USER:PASSWORD@mail.example.com:587, or smtps://USER:PASSWORD@mail.example.com:465")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return Server{}, errors.New("nothing may follow the port; write special characters of the password as %XX, such as %2F for /")
	}
	s := Server{Host: u.Hostname(), User: u.User.Username(), TLS: u.Scheme == "smtps"}
	s.Password, _ = u.User.Password()
	if (s.User == "") != (s.Password == "") {
		return Server{}, errors.New("give both a user and a password, or neither")
	}
	s.Port = cmp.Or(u.Port(), s.usualPort())
	if n, err := strconv.Atoi(s.Port); err != nil || n < 1 || n > 65535 {
		return Server{}, errors.New("the port is not a number from 1 to 65535")
	}
	return s, nil
}

func (s Server) usualPort() string {
	switch {
	case s.TLS:
		return "465"
	case s.User != "":
		return "587"
	}
	return "25"
}
