package views

import (
	"context"
	"io"
	"strings"

	"github.com/a-h/templ"
)

// maxTinted is how many tokens a tinted text has at most, so that a page stays small.
const maxTinted = 1000

// tinted is indented JSON with its keys, numbers and literals marked. Its text is the
// same, byte for byte; one with many tokens is left as it is.
func tinted(text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		for _, t := range tokens(text) {
			shown := templ.EscapeString(t.text)
			if t.class != "" {
				shown = `<span class="` + t.class + `">` + shown + "</span>"
			}
			if _, err := io.WriteString(w, shown); err != nil {
				return err
			}
		}
		return nil
	})
}

// token is a part of a JSON text: a key (json-key), a number or literal (json-value), or
// what is between them.
type token struct{ class, text string }

// tokens splits valid JSON; if there are too many, it is one.
func tokens(text string) (all []token) {
	plain := 0 // where what is not marked begins
	mark := func(class string, from, to int) {
		all = append(all, token{"", text[plain:from]}, token{class, text[from:to]})
		plain = to
	}
	for i := 0; i < len(text); {
		end := i + 1
		switch c := text[i]; {
		case c == '"':
			end = i + stringLength(text[i:])
			if strings.HasPrefix(text[end:], ":") {
				mark("json-key", i, end)
			}
		case c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z':
			end = i + valueLength(text[i:])
			mark("json-value", i, end)
		}
		if i = end; len(all) > 2*maxTinted {
			return []token{{"", text}}
		}
	}
	return append(all, token{"", text[plain:]})
}

// stringLength is that of the JSON string at the beginning of a text.
func stringLength(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// valueLength is that of the number or literal at the beginning of a text.
func valueLength(text string) int {
	if n := strings.IndexAny(text, " \n,]}"); n >= 0 {
		return n
	}
	return len(text)
}
