package views

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"bookhook/webhook"
)

// How much of bodies a page shows, in bytes: of one, in a list of requests, and of all
// attempts of a delivery together. As text of a page a byte can become twenty.
const (
	maxShown         = 64 << 10
	maxShownInList   = 2 << 10
	maxShownAttempts = 128 << 10
	maxIndented      = 256 << 10 // bytes that indenting a body may add
)

// beginning is the first most bytes of a body, without a UTF-8 sequence that is cut.
func beginning(body []byte, most int) []byte {
	if len(body) <= most {
		return body
	}
	return wholeRunes(body[:most])
}

// Curl writes an attempt's request as a command for a POSIX shell. The
// signature in it is the one that was sent, so receivers may find it too old.
func Curl(a webhook.Attempt) string {
	return curl(a, func(name string) bool { return false })
}

// FreshCurl is Curl with a signature that is made when the command runs: first the
// person has to enter the signing secret. It needs a POSIX shell, openssl and curl.
func FreshCurl(a webhook.Attempt, id webhook.DeliveryID) string {
	signed := readable(a.RequestBody)
	if a.Method == http.MethodGet {
		_, signed, _ = strings.Cut(a.URL, "?")
	}
	command := curl(a, func(name string) bool { return name == "webhook-timestamp" || name == "webhook-signature" })
	return "secret='whsec_...' # the signing secret of the webhook\n" +
		"id=" + id.String() + " at=$(date +%s)\n" +
		"signed=" + shellQuote(signed) + "\n" +
		`key=$(printf %s "${secret#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')` + "\n" +
		`signature=$(printf %s "$id.$at.$signed" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)` + "\n" +
		command + " \\\n" + `  -H "webhook-timestamp: $at" -H "webhook-signature: v1,$signature"`
}

// curl writes the command without the headers that are skipped, whose names are given
// in lower case.
func curl(a webhook.Attempt, skip func(name string) bool) string {
	lines := []string{"curl -g -i -X " + shellQuote(a.Method) + " " + shellQuote(a.URL)}
	for _, key := range sortedNames(a.RequestHeaders) {
		name := strings.ToLower(key)
		if name == "content-length" || name == "host" || skip(name) { // curl writes the first two itself
			continue
		}
		for _, value := range a.RequestHeaders[key] {
			lines = append(lines, "  -H "+shellQuote(name+": "+value))
		}
	}
	if len(a.RequestBody) > 0 {
		lines = append(lines, "  --data-raw "+shellQuote(readable(a.RequestBody)))
	}
	return strings.Join(lines, " \\\n")
}

// shellQuote quotes the text for a POSIX shell.
func shellQuote(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:", r)
	}
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func sortedNames(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }

// prettyJSON indents a JSON body. It returns false for what is not JSON, and for a
// body that would grow too much (20 KB of brackets become 200 MB).
func prettyJSON(body []byte) (string, bool) {
	body = bytes.Trim(body, " \t\r\n") // the white space of JSON
	if !utf8.Valid(body) || indentation(body) > min(8*len(body)+1024, maxIndented) {
		return "", false
	}
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", "  "); err != nil {
		return "", false
	}
	return out.String(), true
}

// indentation is how many bytes indenting a JSON body adds at most.
func indentation(body []byte) int {
	added, depth, inString, escaped := 0, 0, false, false
	for _, b := range body {
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = b == '\\', b != '"'
		case b == '"':
			inString = true
		case b == '{' || b == '[':
			depth++
			added += 1 + 2*depth
		case b == '}' || b == ']':
			depth--
			added += 1 + 2*depth
		case b == ',':
			added += 1 + 2*depth
		case b == ':':
			added++
		}
	}
	return added
}

// readable is a body as text, or in hexadecimal when it is not UTF-8 or has bytes
// that a page cannot contain.
func readable(body []byte) string {
	text := body
	if len(body) >= webhook.MaxStoredBody {
		text = wholeRunes(body)
	}
	if utf8.Valid(text) && bytes.IndexByte(text, 0) < 0 {
		return string(text)
	}
	var out strings.Builder
	for i, b := range body {
		switch {
		case i > 0 && i%32 == 0:
			out.WriteByte('\n')
		case i > 0:
			out.WriteByte(' ')
		}
		out.WriteString(strconv.FormatUint(uint64(b)|0x100, 16)[1:])
	}
	return out.String()
}

// wholeRunes is a body that was cut, without the UTF-8 sequence that was cut at its
// end.
func wholeRunes(body []byte) []byte {
	for end := len(body); end > max(0, len(body)-utf8.UTFMax); end-- {
		if r, size := utf8.DecodeLastRune(body[:end]); r != utf8.RuneError || size > 1 {
			return body[:end]
		}
	}
	return body
}

// size is a number of bytes with its unit.
func size(n int) string {
	if n < 1024 {
		return count(n, false, "byte", "bytes")
	}
	return number((n+512)/1024) + " KiB"
}
