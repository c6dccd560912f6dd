package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"bookhook/dispatch/guard"
	"bookhook/handlers"
	"bookhook/platforms"
	"bookhook/webhook"
)

// Bounds of what can be typed; the same as on the pages.
const (
	maxLimit         = 1000    // webhooks of an account
	maxAccountNumber = 1 << 53 // beyond it JavaScript rounds
)

// input reads the values of a command line and collects all that is wrong with
// them. Its methods return the value as it is used, or a zero one after a
// problem.
type input struct {
	line     commandLine
	origin   map[string]string // flag → variable that it came from
	problems []string
}

// wrong notes a problem of a value; name is that of a flag without its dashes,
// or any other one as the help shows it.
func (in *input) wrong(name, format string, args ...any) {
	shown := name
	if name == strings.ToLower(name) {
		shown = cmp.Or(in.origin[name], "--"+strings.TrimPrefix(name, "--"))
	}
	in.problems = append(in.problems, shown+": "+strings.TrimSuffix(fmt.Sprintf(format, args...), "."))
}

// err is a usageError of all problems, nil when there is none.
func (in *input) err() error {
	if len(in.problems) == 0 {
		return nil
	}
	return usageError(strings.Join(in.problems, "; "))
}

// database is the path of the SQLite file.
func (in *input) database() string {
	path := in.line.Database
	scheme, _, isURL := strings.Cut(path, "://")
	switch {
	case path == "":
		in.wrong("database", "give the path of a SQLite file")
	case isURL && (scheme == "postgres" || scheme == "postgresql"):
		in.wrong("database", "PostgreSQL comes in a later version; give the path of a SQLite file")
	case isURL:
		in.wrong("database", "%q is a URL; give the path of a SQLite file", path)
	}
	return path
}

// address is HOST:PORT to listen on; no host is every address.
func (in *input) address(name, text string) string {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		in.wrong(name, "%q is not HOST:PORT, such as 127.0.0.1:8080", text)
		return ""
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		in.wrong(name, "the port of %q is not a number from 0 to 65535", text)
	}
	return text
}

// healthURL is where to ask a Bookhook that listens on an address; every
// address includes the loopback one.
func (in *input) healthURL(name, text string) string {
	host, port, err := net.SplitHostPort(in.address(name, text))
	if err != nil {
		return ""
	}
	if port == "0" {
		in.wrong(name, "port 0 says to listen on any port, not on which; give the one that Bookhook printed")
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr == netip.IPv4Unspecified() {
		host = "127.0.0.1"
	} else if err == nil && addr == netip.IPv6Unspecified() {
		host = "::1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/healthz"
}

// baseURL is scheme and host alone, without a slash at the end.
func (in *input) baseURL(name, text string) string {
	if text == "" {
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		in.wrong(name, "%q is not a URL such as https://hooks.example.com", text)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		in.wrong(name, "%q has more than scheme, host and port; Bookhook needs a host of its own", text)
	default:
		return u.Scheme + "://" + u.Host
	}
	return ""
}

// guard reads --allow-private-targets.
func (in *input) guard(text string) *guard.Guard {
	allowed, err := guard.New(text)
	if err != nil {
		in.problems = append(in.problems, err.Error()) // it names the setting itself
	}
	return allowed
}

// networks are addresses and CIDR ranges, set apart by commas.
func (in *input) networks(name, text string) []string {
	var networks []string
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		addr, addrErr := netip.ParseAddr(item)
		prefix, prefixErr := netip.ParsePrefix(item)
		switch {
		case item == "":
		case addrErr == nil:
			networks = append(networks, addr.Unmap().String())
		case prefixErr == nil:
			networks = append(networks, prefix.Masked().String())
		default:
			in.wrong(name, "%q is neither an address nor a range such as 10.0.0.0/8", item)
		}
	}
	return networks
}

// number is a whole number within bounds.
func (in *input) number(name, text string, least, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		in.wrong(name, "%q is not a whole number from %d to %d", text, least, most)
		return 0
	}
	return n
}

// accountNumber is 0 when there is none.
func (in *input) accountNumber(name, text string) int64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > maxAccountNumber {
		in.wrong(name, "%q is not the number of an account, such as 4069", text)
	}
	return n
}

// oneOf is one of a few words.
func (in *input) oneOf(name, text string, words ...string) string {
	if !slices.Contains(words, text) {
		last := len(words) - 1
		in.wrong(name, "%q is not %s or %s", text, strings.Join(words[:last], ", "), words[last])
		return ""
	}
	return text
}

func (in *input) level(name, text string) slog.Level {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	return levels[in.oneOf(name, text, "debug", "info", "warn", "error")]
}

func (in *input) email(name, text string) string {
	email, problem := handlers.CheckEmail(text)
	if problem != "" {
		in.wrong(name, "%s", problem)
	}
	return email
}

func platformKeys() []string {
	var keys []string
	for _, p := range platforms.All() {
		keys = append(keys, p.Key)
	}
	return keys
}

func roleTexts() []string {
	var texts []string
	for _, role := range webhook.Roles {
		texts = append(texts, string(role))
	}
	return texts
}
