package tourcms

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	utf16 "golang.org/x/text/encoding/unicode"

	"bookhook/webhook"
)

const mark = "\uFEFF" // at the beginning of a document

// declaration is the XML declaration, with the mark and white space before it. Its
// encoding is in the second or third group.
var declaration = regexp.MustCompile(`^(?:\x{FEFF})?\s*<\?xml\s+version\s*=\s*(?:"1\.\d+"|'1\.\d+')` +
	`(\s+encoding\s*=\s*(?:"([A-Za-z][\w.\-]*)"|'([A-Za-z][\w.\-]*)'))?(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*\?>`)

// head is what stands before the content of a document.
type head struct {
	length   int    // bytes
	encoding string // that it declares
	from, to int    // where it does, with the space before
}

func readHead(text []byte) head {
	found := declaration.FindSubmatchIndex(text[:min(len(text), 1000)])
	if found == nil {
		return head{length: len(text) - len(bytes.TrimPrefix(text, []byte(mark)))}
	}
	h := head{length: found[1]}
	if found[2] >= 0 {
		h.from, h.to = found[2], found[3]
		at := max(found[4], found[6])
		h.encoding = string(text[at:max(found[5], found[7])])
	}
	return h
}

// isUTF8 reports whether this is a name of UTF-8, or of a part of it.
func isUTF8(name string) bool {
	return slices.Contains([]string{"", "utf8", "usascii", "ascii"}, plainName(name))
}

// plainName is the name of an encoding without case and signs: iso88591.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// toUTF8 returns a document in UTF-8. As libxml2 does, it goes by the first bytes
// and by what the document declares; the charset of the content type counts only
// for a document that declares nothing and is not UTF-8. UTF-16 and the encodings
// with one byte for each character are known. Its errors are messages.
func toUTF8(text []byte, charset string) ([]byte, error) {
	if bytes.HasPrefix(text, []byte("\xFE\xFF")) || bytes.HasPrefix(text, []byte("\xFF\xFE")) {
		return decoded(text, utf16.UTF16(utf16.BigEndian, utf16.ExpectBOM))
	}
	name := readHead(text).encoding
	switch {
	case bytes.HasPrefix(text, []byte(mark)):
		return undeclared(text), nil
	case name == "" && !utf8.Valid(text):
		name = charset
	}
	if isUTF8(name) {
		return text, nil
	}
	for _, known := range charmap.All {
		if plainName(fmt.Sprint(known)) == plainName(name) {
			return decoded(text, known)
		}
	}
	return nil, webhook.NewMessage("tourcms.xml_encoding", quote(name))
}

// decoded returns the document in UTF-8. What a byte stands for, the encoding must
// say.
func decoded(text []byte, from encoding.Encoding) ([]byte, error) {
	utf, err := from.NewDecoder().Bytes(text)
	if err != nil || bytes.ContainsRune(utf, utf8.RuneError) {
		return nil, webhook.NewMessage("tourcms.xml_not_encoded", quote(cmp.Or(readHead(utf).encoding, fmt.Sprint(from))))
	}
	return undeclared(utf), nil
}

// undeclared removes the encoding that a document declares: it is in UTF-8 now.
func undeclared(text []byte) []byte {
	h := readHead(text)
	return slices.Concat(text[:h.from], text[h.to:])
}
