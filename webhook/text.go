package webhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Truncate returns the text with at most limit characters and an ellipsis for
// what was left out.
func Truncate(text string, limit int) string {
	if len(text) <= limit || utf8.RuneCountInString(text) <= limit {
		return text
	}
	n := 0
	for i := range text {
		if n == limit {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// CompareNames compares two names as people sort them: without regard to case, and
// with numbers in them by their value, so that "Tour 2" is before "Tour 10". It returns
// 0 only for equal texts.
func CompareNames(a, b string) int {
	restA, restB := a, b
	for restA != "" && restB != "" {
		if isDigit(restA[0]) && isDigit(restB[0]) {
			var numberA, numberB string
			numberA, restA = cutNumber(restA)
			numberB, restB = cutNumber(restB)
			if order := cmp.Or(cmp.Compare(len(numberA), len(numberB)), strings.Compare(numberA, numberB)); order != 0 {
				return order
			}
			continue
		}
		runeA, sizeA := utf8.DecodeRuneInString(restA)
		runeB, sizeB := utf8.DecodeRuneInString(restB)
		if order := cmp.Compare(lower(runeA), lower(runeB)); order != 0 {
			return order
		}
		restA, restB = restA[sizeA:], restB[sizeB:]
	}
	return cmp.Or(cmp.Compare(len(restA), len(restB)), strings.Compare(a, b))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// cutNumber cuts the digits off that a text begins with, without their leading zeros.
func cutNumber(text string) (number, rest string) {
	end := 0
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	return strings.TrimLeft(text[:end], "0"), text[end:]
}

// lower returns the same character for both cases of a letter.
func lower(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// Quote returns a text of others so that a sentence can repeat it: truncated, and
// with a replacement character for what is not UTF-8 or not printable (control
// characters, those that change the direction of text).
func Quote(text string, limit int) string {
	return Truncate(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, text), limit)
}

// JoinText joins the texts of all, separated by commas.
func JoinText[T any](all []T, text func(T) string) string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = text(one)
	}
	return strings.Join(texts, ", ")
}

// ParsePrefixes parses addresses and CIDR ranges that are separated by commas, and
// masks each. An address becomes a range of one, an IPv4-mapped IPv6 address its
// IPv4 address. The error names every item that is neither, in quotation marks.
func ParsePrefixes(list string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	var wrong []string
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		if prefix, ok := parsePrefix(item); ok {
			prefixes = append(prefixes, prefix)
		} else {
			wrong = append(wrong, fmt.Sprintf("%q", item))
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s: neither an address nor a range such as 10.0.0.0/8", strings.Join(wrong, ", "))
	}
	return prefixes, nil
}

func parsePrefix(item string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(item); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(item)
	if err != nil {
		return netip.Prefix{}, false
	}
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, false
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), true
}

// JSONDepth counts how deep the objects and lists of a JSON text are nested.
func JSONDepth(text []byte) int {
	depth, deepest := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += stringLength(text[i:]) - 1
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

// AppendJSON appends a string to a JSON text, with <, > and & unescaped. Most strings
// need no escapes, and are written without encoding/json.
func AppendJSON(text []byte, s string) []byte {
	for i := range len(s) {
		if b := s[i]; b < ' ' || b > '~' || b == '"' || b == '\\' {
			return append(text, escapedJSON(s)...)
		}
	}
	return append(append(append(text, '"'), s...), '"')
}

func escapedJSON(s string) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // a string can always be encoded, and a buffer written
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// CheckJSON returns what encoding/json says is wrong with a text; nil if it is JSON.
// json.Unmarshal alone would read it twice, and copy it.
func CheckJSON(text []byte) error {
	if json.Valid(text) {
		return nil
	}
	return json.Unmarshal(text, new(json.RawMessage))
}

// compactJSON removes the white space between the tokens of a JSON text; one that is
// not JSON is only trimmed.
func compactJSON(text []byte) []byte {
	text = bytes.TrimSpace(text)
	if !spacedJSON(text) {
		return text
	}
	var out bytes.Buffer
	if json.Compact(&out, text) != nil {
		return text
	}
	return out.Bytes()
}

// spacedJSON reports whether a JSON text has white space between its tokens: mostly it
// has none, and finding that takes a fraction of the time of json.Compact.
func spacedJSON(text []byte) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += stringLength(text[i:]) - 1
		case ' ', '\t', '\r', '\n':
			return true
		}
	}
	return false
}

// stringLength returns the length of the JSON string that a text begins with; that of
// the text if it does not end.
func stringLength(text []byte) int {
	for end := 1; ; end++ {
		quote := bytes.IndexByte(text[end:], '"')
		if quote < 0 {
			return len(text)
		}
		end += quote
		if before := bytes.TrimRight(text[:end], `\`); (end-len(before))%2 == 0 {
			return end + 1
		}
	}
}

// ByteOrderMark is what some programs write before a text in UTF-8.
var ByteOrderMark = []byte("\ufeff")

// LoneSurrogate reports whether a JSON string has the escape of one half of a
// surrogate pair without the other half. encoding/json replaces it.
func LoneSurrogate(value []byte) bool {
	for i := 0; i < len(value); i++ {
		if value[i] != '\\' {
			continue
		}
		if i++; value[i] != 'u' {
			continue
		}
		first := escapedRune(value[i-1:])
		if i += 4; !utf16.IsSurrogate(first) {
			continue
		}
		if utf16.DecodeRune(first, escapedRune(value[i+1:])) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// escapedRune returns what an escape such as \u00e9 at the beginning of text stands for;
// 0 if there is none.
func escapedRune(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}
