package webhook

import (
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckName returns the name without outer space, or what is wrong with it.
func CheckName(name string) (string, string) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return name, "Give it a name."
	case utf8.RuneCountInString(name) > MaxName:
		return name, "Use at most " + strconv.Itoa(MaxName) + " characters."
	case !printable(name):
		return name, "Use letters, digits, signs and spaces only, no control characters."
	}
	return name, ""
}

// CheckURL returns the URL without outer space, or what is wrong with it in
// words that say what to do. It looks at the text alone; whether the address
// may be called is for the dispatcher's guard.
func CheckURL(text string) (string, string) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return text, "Enter the address that is to be called, such as https://example.com/bookings."
	case utf8.RuneCountInString(text) > MaxURL:
		return text, "This URL has more than " + strconv.Itoa(MaxURL) + " characters; use a shorter one."
	case !utf8.ValidString(text):
		return text, "This URL has characters that cannot be read; type it again."
	case !printable(text) || strings.ContainsFunc(text, unicode.IsSpace):
		return text, "A URL cannot contain spaces, line breaks or control characters; write a space as %20."
	}
	u, err := url.Parse(text)
	if err != nil {
		return text, unreadableURL(text)
	}
	if problem := checkParts(u); problem != "" {
		return text, problem
	}
	if strings.Contains(text, "#") { // in the text: url.Parse forgets an empty fragment
		return text, "Take the part from # on out of the URL; a server never sees it."
	}
	return text, ""
}

func unreadableURL(text string) string {
	if !strings.Contains(text, "://") {
		return "Begin the URL with https://, such as https://example.com/bookings."
	}
	return "This is not a URL that can be called; check host, port and percent signs."
}

func checkParts(u *url.URL) string {
	switch {
	case u.Scheme == "" || u.Opaque != "" || u.Scheme != "http" && u.Scheme != "https" && u.Host == "":
		return "Begin the URL with https://, such as https://example.com/bookings."
	case u.Scheme != "https" && u.Scheme != "http":
		return "Bookhook calls https:// and http:// addresses only, not " + u.Scheme + "://."
	case u.User != nil:
		return "Take the user name and password out of the URL; deliveries are signed instead."
	case u.Hostname() == "":
		return "The URL names no host; write it as https://example.com/bookings."
	case !validHost(u.Hostname()):
		return "“" + strings.ToValidUTF8(u.Hostname(), "\uFFFD") + "” is not a host name; check its spelling."
	}
	return checkPort(u)
}

func checkPort(u *url.URL) string {
	if u.Port() == "" && !strings.HasSuffix(u.Host, ":") {
		return ""
	}
	if port, err := strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
		return "The port must be a number from 1 to 65535."
	}
	return ""
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

// CheckRef says what is wrong with the id of a channel, tour or booking; an
// empty one is in order.
func CheckRef(id string) string {
	switch {
	case utf8.RuneCountInString(id) > MaxRefLength:
		return "Use at most " + strconv.Itoa(MaxRefLength) + " characters."
	case !printable(id):
		return "Use letters, digits and signs only, no control characters."
	}
	return ""
}

// CheckItem returns a channel or tour as it is kept, or what is wrong.
func CheckItem(item Item) (Item, Invalid) {
	problems := Invalid{}
	item.ID = strings.TrimSpace(item.ID)
	if item.ID == "" {
		problems.Add("id", "Give the id that your booking system uses.")
	} else if problem := CheckRef(item.ID); problem != "" {
		problems.Add("id", "%s", problem)
	} else if strings.ContainsFunc(item.ID, func(r rune) bool { return unicode.IsSpace(r) || r == ',' }) {
		problems.Add("id", "An id has no spaces and no commas.")
	}
	name, problem := CheckName(item.Name)
	if problem != "" {
		problems.Add("name", "%s", problem)
	}
	item.Name = name
	return item, problems
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
