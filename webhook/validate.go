package webhook

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// CheckName returns the trimmed name and what is wrong with it.
func CheckName(name string) (string, Message) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return name, NewMessage("name.missing")
	case utf8.RuneCountInString(name) > MaxName:
		return name, NewMessage("text.too_long", MaxName)
	case !printable(name):
		return name, NewMessage("name.control_characters")
	case !visible(name):
		return name, NewMessage("name.invisible")
	}
	return name, Message{}
}

// CheckURL returns the URL as it is kept, and what is wrong with it: trimmed, and
// with percent-encoding of what may not stand in a query. It checks the text
// alone; the outbound address guard decides whether the address may be called.
func CheckURL(text string) (string, Message) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return text, NewMessage("url.missing")
	case utf8.RuneCountInString(text) > MaxURL:
		return text, NewMessage("url.too_long", MaxURL)
	case !utf8.ValidString(text):
		return text, NewMessage("url.not_utf8")
	case !printable(text) || strings.ContainsFunc(text, unicode.IsSpace):
		return text, NewMessage("url.space")
	}
	u, err := url.Parse(text)
	if err != nil {
		return text, unreadableURL(text)
	}
	if problem := checkParts(u); !problem.IsZero() {
		return text, problem
	}
	if strings.Contains(text, "#") { // in the text: url.Parse drops an empty fragment
		return text, NewMessage("url.fragment")
	}
	if text = escapeQuery(text); utf8.RuneCountInString(text) > MaxURL {
		return text, NewMessage("url.too_long", MaxURL)
	}
	return text, Message{}
}

// inQuery are the characters that RFC 3986 allows in a query, beside letters,
// digits and percent-encoded bytes.
const inQuery = "-._~!$&'()*+,;=:@/?"

// escapeQuery percent-encodes what may not stand in the query of a URL. All else
// is kept as it is: the query is sent untouched.
func escapeQuery(text string) string {
	before, query, found := strings.Cut(text, "?")
	if !found {
		return text
	}
	var b strings.Builder
	b.WriteString(before + "?")
	for i := range len(query) {
		switch c := query[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(inQuery, c) >= 0, c == '%' && escaped(query[i:]):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// escaped reports whether a text begins with a percent-encoded byte.
func escaped(text string) bool {
	if len(text) < 3 {
		return false
	}
	_, err := hex.DecodeString(text[1:3])
	return err == nil
}

func unreadableURL(text string) Message {
	if !strings.Contains(text, "://") {
		return NewMessage("url.no_scheme")
	}
	return NewMessage("url.unreadable")
}

func checkParts(u *url.URL) Message {
	switch {
	case u.Scheme == "" || u.Opaque != "" || u.Scheme != "http" && u.Scheme != "https" && u.Host == "":
		return NewMessage("url.no_scheme")
	case u.Scheme != "https" && u.Scheme != "http":
		return NewMessage("url.scheme", u.Scheme)
	case u.User != nil:
		return NewMessage("url.credentials")
	case u.Hostname() == "":
		return NewMessage("url.no_host")
	case !validHost(u.Hostname()):
		return NewMessage("url.host", strings.ToValidUTF8(u.Hostname(), "\uFFFD"))
	}
	return checkPort(u)
}

func checkPort(u *url.URL) Message {
	if u.Port() == "" && !strings.HasSuffix(u.Host, ":") {
		return Message{}
	}
	if port, err := strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
		return NewMessage("url.port")
	}
	return Message{}
}

// hostLabel is one part of a host name; letters of any script make an
// internationalised name, which is sent in its ASCII form.
var hostLabel = regexp.MustCompile(`^[\pL\pN\pM_]([\pL\pN\pM_-]{0,61}[\pL\pN\pM_])?$`)

func validHost(host string) bool {
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return true
	}
	if i := strings.LastIndexByte(host, '%'); i > 0 { // an IPv6 zone has no meaning elsewhere
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if !hostLabel.MatchString(label) {
			return false
		}
	}
	return len(host) <= 253
}

// MapHost returns the one form of a host name or an address that is dialled: an
// international name in ASCII, small letters, no dot at the end, and an address as
// package netip writes it. ok is false if the name can be no host.
func MapHost(name string) (host string, ok bool) {
	if addr, err := netip.ParseAddr(name); err == nil && addr.Zone() == "" {
		return addr.String(), true
	}
	host = strings.ToLower(name)
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		mapped, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", false
		}
		host = mapped
	}
	host = strings.TrimSuffix(host, ".")
	never := func(r rune) bool { return r <= ' ' || r > '~' || r == '%' || r == ':' } // as in the zone of an address
	noLabel := strings.Contains("."+host+".", "..")
	return host, !noLabel && !strings.ContainsFunc(host, never)
}

// SameDestination reports whether two URLs have the same scheme, host and port, in
// any spelling, so that a secret that was given for one of them may be sent to the
// other. What is no URL is the same as nothing.
func SameDestination(a, b string) bool {
	one, ok := readDestination(a)
	other, known := readDestination(b)
	return ok && known && one == other
}

// destination is the scheme, host and port of a URL in their one form.
type destination struct {
	scheme, host string
	port         int
}

func readDestination(text string) (d destination, ok bool) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return d, false
	}
	d.scheme, d.port = u.Scheme, map[string]int{"http": 80, "https": 443}[u.Scheme]
	if u.Port() != "" {
		if d.port, err = strconv.Atoi(u.Port()); err != nil {
			return d, false
		}
	}
	d.host, ok = MapHost(u.Hostname())
	return d, ok
}

// CheckRef says what is wrong with the id of a channel, tour or booking; an
// empty one is valid.
func CheckRef(id string) Message {
	switch {
	case utf8.RuneCountInString(id) > MaxRefLength:
		return NewMessage("text.too_long", MaxRefLength)
	case !utf8.ValidString(id):
		return NewMessage("ref.half_character")
	case !printable(id):
		return NewMessage("ref.control_characters")
	}
	return Message{}
}

// CheckItem returns a channel or tour as it is stored, and what is wrong with it.
func CheckItem(item Item) (Item, Invalid) {
	problems := Invalid{}
	item.ID = strings.TrimSpace(item.ID)
	if item.ID == "" {
		problems.Add("id", "item.id_missing")
	} else if problem := CheckRef(item.ID); !problem.IsZero() {
		problems.AddMessage("id", problem)
	} else if strings.ContainsFunc(item.ID, func(r rune) bool { return unicode.IsSpace(r) || r == ',' }) {
		problems.Add("id", "item.id_separator")
	}
	name, problem := CheckName(item.Name)
	problems.AddMessage("name", problem)
	item.Name = name
	return item, problems
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// confusing are characters that nobody sees and that change how what is around them
// is read: line and paragraph separators, and those that turn the direction of
// writing. Names in Hebrew or Arabic do not need them.
const confusing = "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"

// blank are letters and signs that are drawn as nothing.
const blank = "\u115f\u1160\u2800\u3164\uffa0"

// visible reports whether a text has anything that can be seen, and nothing
// confusing.
func visible(text string) bool {
	seen := func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.IsMark(r) && !strings.ContainsRune(blank, r)
	}
	return strings.ContainsFunc(text, seen) && !strings.ContainsAny(text, confusing)
}
