package web

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// strict refuses, and closes the connection after, what fasthttp takes although
// another server on the way may read it differently: both Content-Length and
// Transfer-Encoding, codings other than chunked, folded lines, lines that do not end
// in CR LF, names of fields and hosts with other characters than they may have, and
// versions other than HTTP/1.0 and 1.1.
func strict(c *fiber.Ctx) error {
	header := &c.Request().Header
	why := ""
	switch protocol := string(header.Protocol()); {
	case protocol != "HTTP/1.1" && protocol != "HTTP/1.0":
		c.Context().SetConnectionClose()
		return &Problem{
			Type: "about:blank", Title: http.StatusText(http.StatusHTTPVersionNotSupported), Status: http.StatusHTTPVersionNotSupported,
			Detail: "Use HTTP/1.1.",
		}
	case strings.Trim(string(header.Host()), hostCharacters) != "":
		why = "The Host header contains characters that are not allowed there."
	default:
		why = wrongHead(header.RawHeaders())
	}
	if why == "" {
		return c.Next()
	}
	c.Context().SetConnectionClose()
	return &Problem{Type: "about:blank", Title: http.StatusText(http.StatusBadRequest), Status: http.StatusBadRequest, Detail: why}
}

const (
	letters        = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	hostCharacters = letters + "-._~%:[]"
	nameCharacters = letters + "!#$%&'*+-.^_`|~" // of a field
)

// isName says which bytes the name of a field may have.
var isName = func() (is [256]bool) {
	for _, c := range []byte(nameCharacters) {
		is[c] = true
	}
	return is
}()

// wrongHead says what is wrong with the fields of a request, as they were sent; ""
// if nothing is.
func wrongHead(raw []byte) string {
	length, coding := false, false
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte("\n"))
		raw = rest
		if len(line) == 0 || line[len(line)-1] != '\r' {
			return "A line of the header does not end in CR LF."
		}
		colon := 0
		for isName[line[colon]] { // it ends in CR, which is none
			colon++
		}
		name, value := line[:colon], bytes.TrimSpace(line[colon:])
		switch {
		case len(line) == 1: // the end of the header
			continue
		case line[colon] != ':' || colon == 0:
			return "A line of the header has no valid name, or continues the line before."
		case bytes.EqualFold(name, []byte(fiber.HeaderContentLength)):
			length = true
		case bytes.EqualFold(name, []byte(fiber.HeaderTransferEncoding)):
			coding = true
			if !bytes.EqualFold(bytes.TrimSpace(value[1:]), []byte("chunked")) {
				return "Transfer-Encoding can only be chunked."
			}
		}
	}
	if length && coding {
		return "Send either Content-Length or Transfer-Encoding, not both."
	}
	return ""
}
