package tourcms

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"bookhook/platforms"
	"bookhook/webhook"
)

// maxElements is how many elements and attributes a document may have: at four
// bytes each, a body within the limit could have a million, and each takes a
// hundred bytes here.
const maxElements = 200_000

// element is one element of a document, with what the signature and the booking
// need of it.
type element struct {
	name       string // with the namespace before it, when there is one: then no path names it
	attributes []attribute
	text       []byte // directly inside, not that of its children
	children   []*element
	start, end int // its place in the document
	inside     int // the place of its end tag
}

type attribute struct{ name, value string }

// errEncoding is a document in another encoding than UTF-8.
var errEncoding = webhook.NewMessage("tourcms.xml_encoding")

// parse reads a document and returns its root. It reads no DOCTYPE and no other
// declaration, knows the five predefined entities only, and so neither expands
// nor fetches anything. Its errors are messages.
func parse(text []byte) (*element, error) {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil, webhook.NewMessage("tourcms.xml_empty")
	case !utf8.Valid(text):
		return nil, webhook.NewMessage("tourcms.xml_not_utf8")
	}
	p := parser{text: text, names: map[string]string{}}
	if bom := []byte("\uFEFF"); bytes.HasPrefix(text, bom) {
		p.skipped = len(bom)
	}
	p.decoder = xml.NewDecoder(bytes.NewReader(text[p.skipped:]))
	p.decoder.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errEncoding }
	for {
		from := p.offset()
		token, err := p.decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = p.take(token, from)
		} else {
			err = syntaxProblem(err)
		}
		if err != nil {
			return nil, err
		}
	}
	if p.root == nil {
		return nil, webhook.NewMessage("tourcms.xml_no_root")
	}
	return p.root, nil
}

// parser is a document that is being read.
type parser struct {
	text    []byte
	skipped int // bytes before what the decoder sees
	decoder *xml.Decoder
	names   map[string]string // each name once
	root    *element
	open    []*element // from the root down
	count   int
}

func (p *parser) offset() int { return p.skipped + int(p.decoder.InputOffset()) }

func (p *parser) take(token xml.Token, from int) error {
	switch token := token.(type) {
	case xml.Directive:
		return webhook.NewMessage("tourcms.xml_declaration")
	case xml.StartElement:
		return p.begin(token, from)
	case xml.EndElement:
		last := p.open[len(p.open)-1]
		last.inside, last.end = from, p.offset()
		p.open = p.open[:len(p.open)-1]
	case xml.CharData:
		if len(p.open) > 0 {
			last := p.open[len(p.open)-1]
			last.text = append(last.text, token...)
		} else if len(bytes.TrimSpace(token)) > 0 {
			return webhook.NewMessage("tourcms.xml_text_outside")
		}
	}
	return nil
}

func (p *parser) begin(token xml.StartElement, from int) error {
	p.count += 1 + len(token.Attr)
	switch {
	case len(p.open) == 0 && p.root != nil:
		return webhook.NewMessage("tourcms.xml_roots")
	case len(p.open) == platforms.MaxDepth:
		return webhook.NewMessage("tourcms.xml_too_deep", platforms.MaxDepth)
	case p.count > maxElements:
		return webhook.NewMessage("tourcms.xml_too_large", maxElements)
	}
	e := &element{name: p.name(token.Name), start: from}
	for _, a := range token.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			e.attributes = append(e.attributes, attribute{p.name(a.Name), a.Value})
		}
	}
	if len(p.open) == 0 {
		p.root = e
	} else {
		parent := p.open[len(p.open)-1]
		parent.children = append(parent.children, e)
	}
	p.open = append(p.open, e)
	return nil
}

func (p *parser) name(n xml.Name) string {
	name := n.Local
	if n.Space != "" {
		name = "{" + n.Space + "}" + n.Local
	}
	if known, ok := p.names[name]; ok {
		return known
	}
	p.names[name] = name
	return name
}

// syntaxProblem says what the decoder found wrong.
func syntaxProblem(err error) error {
	if message, ok := errors.AsType[webhook.Message](err); ok {
		return message
	}
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return webhook.NewMessage("tourcms.xml_syntax_at", syntax.Line, syntax.Msg)
	}
	return webhook.NewMessage("tourcms.xml_syntax", strings.TrimPrefix(err.Error(), "xml: "))
}

// child is the first child of this name, nil when there is none. It may be asked
// of nil.
func (e *element) child(name string) *element {
	for c := range e.named(name) {
		return c
	}
	return nil
}

// named goes through the children of this name.
func (e *element) named(name string) func(yield func(*element) bool) {
	return func(yield func(*element) bool) {
		if e == nil {
			return
		}
		for _, c := range e.children {
			if c.name == name && !yield(c) {
				return
			}
		}
	}
}

// value is the text of the first child of this name, without outer space; ""
// when there is none.
func (e *element) value(name string) string {
	c := e.child(name)
	if c == nil {
		return ""
	}
	return strings.TrimSpace(string(c.text))
}

// descendants goes through the element and all below it, in document order.
func (e *element) descendants(yield func(*element) bool) { e.walk(yield) }

func (e *element) walk(yield func(*element) bool) bool {
	if !yield(e) {
		return false
	}
	for _, c := range e.children {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}
