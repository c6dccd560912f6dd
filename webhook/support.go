package webhook

import (
	"net/mail"
	"net/url"
	"strings"
)

// Support names whom people ask for a higher limit: a name, an e-mail address or an
// https URL, as it follows "ask".
type Support string

// DefaultSupport is the support where nobody else is named.
const DefaultSupport = "the person who runs this Bookhook"

// Href returns where a link to the support leads; "" if it is neither an e-mail
// address nor an https URL.
func (s Support) Href() string {
	text := string(s)
	if address, err := mail.ParseAddress(text); err == nil && address.Address == text {
		return "mailto:" + url.PathEscape(text)
	}
	if s.IsURL() {
		return text
	}
	return ""
}

// IsURL reports whether the support is an https URL.
func (s Support) IsURL() bool {
	u, err := url.Parse(string(s))
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && !strings.Contains(string(s), " ")
}
