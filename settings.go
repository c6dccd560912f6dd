package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/dispatch/guard"
	"bookhook/messages"
	"bookhook/platforms/all"
	"bookhook/seal"
	"bookhook/webhook"
)

// The types of flags and arguments. Their UnmarshalText refuses what cannot be
// used; the name of the flag is put before its error.

// databasePath is the path of a SQLite file, or the URL of a database of PostgreSQL.
type databasePath string

// UnmarshalText refuses other URLs, without repeating their passwords.
func (p *databasePath) UnmarshalText(text []byte) error {
	*p = databasePath(text)
	scheme, _, isURL := strings.Cut(string(text), "://")
	switch {
	case len(text) == 0:
		return errors.New("give the path of a SQLite file, or a URL that begins with postgres://")
	case isURL && !db.OnServer(string(text)):
		return fmt.Errorf("%s:// is no database that Bookhook knows; give the path of a SQLite file, or a URL that begins with postgres://", scheme)
	}
	return nil
}

// secretKeyFile is the file of the key of the secrets in the database; "" if not
// given.
type secretKeyFile string

// UnmarshalText refuses an empty path, which a script with an unset variable gives.
func (f *secretKeyFile) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("give the path of a file with a key; \"bookhook secrets key\" prints a new one")
	}
	*f = secretKeyFile(text)
	return nil
}

// read returns the key, nil if no file is given.
func (f secretKeyFile) read() (*seal.Key, error) {
	if f == "" {
		return nil, nil
	}
	return seal.ReadKey(string(f))
}

// listenAddress is HOST:PORT to listen on; without a host it is every address.
type listenAddress string

// UnmarshalText refuses ports that are no number: names depend on the machine.
func (a *listenAddress) UnmarshalText(text []byte) error {
	*a = listenAddress(text)
	_, port, err := net.SplitHostPort(string(text))
	if err != nil {
		return fmt.Errorf("%q is not HOST:PORT, such as 127.0.0.1:8080", text)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("the port of %q is not a number from 0 to 65535", text)
	}
	return nil
}

// healthURL is where to ask a Bookhook whether it is healthy. It is given as the
// address that Bookhook listens on.
type healthURL string

// UnmarshalText reads HOST:PORT. Every address includes the loopback one.
func (u *healthURL) UnmarshalText(text []byte) error {
	var address listenAddress
	if err := address.UnmarshalText(text); err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(string(address))
	if err != nil {
		return err
	}
	if port == "0" {
		return errors.New("port 0 listens on any free port; give the port that Bookhook printed")
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr == netip.IPv4Unspecified() {
		host = "127.0.0.1"
	} else if err == nil && addr == netip.IPv6Unspecified() {
		host = "::1"
	}
	*u = healthURL("http://" + net.JoinHostPort(host, port) + "/healthz")
	return nil
}

// baseURL is a scheme and a host, without a slash at the end; "" if not given.
type baseURL string

// UnmarshalText refuses paths: the pages link to paths from the root.
func (u *baseURL) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	parsed, err := url.Parse(string(text))
	switch {
	case err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Hostname() == "":
		return fmt.Errorf("%q is not a URL such as https://hooks.example.com", text)
	case strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.User != nil:
		return fmt.Errorf("%q has more than scheme, host and port; Bookhook needs a host of its own", text)
	}
	*u = baseURL(parsed.Scheme + "://" + parsed.Host)
	return nil
}

// privateTargets are the private addresses that webhooks may call; the zero
// value allows none.
type privateTargets struct{ guard.Guard }

// UnmarshalText reads a list of networks, or "all".
func (t *privateTargets) UnmarshalText(text []byte) error {
	targets, err := guard.New(string(text))
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), guard.Setting+": "))
	}
	t.Guard = *targets
	return nil
}

// networks are ranges of addresses, separated by commas.
type networks []netip.Prefix

// UnmarshalText reads addresses and CIDR ranges.
func (n *networks) UnmarshalText(text []byte) (err error) {
	*n, err = webhook.ParsePrefixes(string(text))
	return err
}

// number is a whole number within the bounds that the tags "min" and "max" of
// its flag set.
type number int

// Decode reads the number.
func (n *number) Decode(ctx *kong.DecodeContext) error {
	least, err := ctx.Value.Tag.GetInt("min")
	if err != nil {
		return err
	}
	most, err := ctx.Value.Tag.GetInt("max")
	if err != nil {
		return err
	}
	var text string
	if err := ctx.Scan.PopValueInto("number", &text); err != nil {
		return err
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < least || value > most {
		return fmt.Errorf("%q is not a whole number from %d to %d", text, least, most)
	}
	*n = number(value)
	return nil
}

// seconds returns the number as a duration.
func (n number) seconds() time.Duration { return time.Duration(n) * time.Second }

// maxAccountNumber is the largest number of an account; JavaScript rounds beyond
// it.
const maxAccountNumber = 1 << 53

// accountNumber is the number of an account; 0 if not given.
type accountNumber int64

// UnmarshalText refuses what no account can have.
func (n *accountNumber) UnmarshalText(text []byte) error {
	value, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || value < 1 || value > maxAccountNumber {
		return fmt.Errorf("%q is not the number of an account, such as 4069", text)
	}
	*n = accountNumber(value)
	return nil
}

// displayName is the name of an account, a token or a client.
type displayName string

// UnmarshalText trims the name and refuses an empty one.
func (n *displayName) UnmarshalText(text []byte) error {
	name, wrong := webhook.CheckName(string(text))
	if !wrong.IsZero() {
		return errors.New(messages.Text(wrong))
	}
	*n = displayName(name)
	return nil
}

// supportContact is a webhook.Support.
type supportContact webhook.Support

// maxSupport is how long it may be, in characters: it stands in a sentence.
const maxSupport = 200

// UnmarshalText trims the text and refuses what cannot stand in a sentence.
func (s *supportContact) UnmarshalText(text []byte) error {
	text = bytes.TrimSpace(text)
	*s = supportContact(text)
	switch {
	case *s == "":
		return errors.New("say whom people should ask, such as support@example.com")
	case utf8.RuneCount(text) > maxSupport:
		return fmt.Errorf("use at most %d characters", maxSupport)
	case !utf8.Valid(text) || bytes.ContainsFunc(text, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }):
		return errors.New("use one line of plain text, such as support@example.com")
	}
	return nil
}

// emailAddress is an e-mail address in lower case.
type emailAddress string

// UnmarshalText refuses what the pages refuse.
func (e *emailAddress) UnmarshalText(text []byte) error {
	email, wrong := auth.CheckEmail(string(text))
	if !wrong.IsZero() {
		return errors.New(messages.Text(wrong))
	}
	*e = emailAddress(email)
	return nil
}

// userRole is one of webhook.Roles.
type userRole webhook.Role

// UnmarshalText refuses other words.
func (r *userRole) UnmarshalText(text []byte) (err error) {
	var words []string
	for _, role := range webhook.Roles {
		words = append(words, string(role))
	}
	word, err := oneOf(text, words...)
	*r = userRole(word)
	return err
}

// platformKey is the key of a platform.
type platformKey string

// UnmarshalText refuses what is not in the registry.
func (k *platformKey) UnmarshalText(text []byte) error {
	word, err := oneOf(text, platformKeys()...)
	*k = platformKey(word)
	return err
}

func platformKeys() []string {
	var keys []string
	for _, p := range all.Platforms().Connectable() {
		keys = append(keys, p.Key)
	}
	return keys
}

// logFormat is "text" or "json".
type logFormat string

// UnmarshalText refuses other words.
func (f *logFormat) UnmarshalText(text []byte) error {
	word, err := oneOf(text, "text", "json")
	*f = logFormat(word)
	return err
}

// logLevel is a level of slog by its name.
type logLevel slog.Level

// UnmarshalText reads the names only; slog would also read "info+2".
func (l *logLevel) UnmarshalText(text []byte) error {
	word, err := oneOf(text, "debug", "info", "warn", "error")
	if err != nil {
		return err
	}
	return (*slog.Level)(l).UnmarshalText([]byte(word))
}

// oneOf returns the text if it is one of the words.
func oneOf(text []byte, words ...string) (string, error) {
	if slices.Contains(words, string(text)) {
		return string(text), nil
	}
	last := len(words) - 1
	return "", fmt.Errorf("%q is not %s or %s", text, strings.Join(words[:last], ", "), words[last])
}
