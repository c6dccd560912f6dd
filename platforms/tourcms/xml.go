package tourcms

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"bookhook/platforms"
	"bookhook/platforms/tourcms/xpath"
	"bookhook/webhook"
)

// maxNodes is how many elements, attributes, texts and comments a document may
// have: at four bytes each, a body within the limit could have a million, and each
// takes a hundred and thirty bytes here.
const maxNodes = 200_000

// parse reads a document in UTF-8 and returns its root. Of a DOCTYPE it takes the
// name of a file, and does not look at it; it reads no declarations, knows the five
// predefined entities only, and so neither expands nor fetches anything. Its errors
// are messages.
func parse(text []byte) (*element, error) {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil, webhook.NewMessage("tourcms.xml_empty")
	case !utf8.Valid(text):
		return nil, webhook.NewMessage("tourcms.xml_not_utf8")
	}
	head := readHead(text)
	if !isUTF8(head.encoding) {
		return nil, webhook.NewMessage("tourcms.xml_encoding", quote(head.encoding))
	}
	p := parser{text: text, skipped: head.length, names: map[xpath.Name]*xpath.Name{}, spaces: map[string][]string{}}
	p.open = []*xpath.Node{{Kind: xpath.Document}}
	p.decoder = xml.NewDecoder(bytes.NewReader(text[p.skipped:]))
	for {
		from := p.offset()
		token, err := p.decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = p.take(token, from)
		}
		if err != nil {
			return nil, syntaxProblem(err)
		}
	}
	switch {
	case len(p.open) > 1:
		return nil, syntaxProblem(p.problem("unexpected EOF: <" + p.last().Name.String() + "> is not closed"))
	case p.root == nil:
		return nil, webhook.NewMessage("tourcms.xml_no_root")
	}
	p.last().Last = p.count
	return (*element)(p.root), nil
}

// parser is a document that is being read.
type parser struct {
	text     []byte
	skipped  int // bytes before what the decoder sees
	decoder  *xml.Decoder
	names    map[xpath.Name]*xpath.Name // each name once
	spaces   map[string][]string        // the namespaces of each prefix, the innermost last
	root     *xpath.Node
	open     []*xpath.Node // the document, and the elements from the root down
	count    int32
	declared int  // namespaces
	typed    bool // there was a DOCTYPE
}

func (p *parser) offset() int { return p.skipped + int(p.decoder.InputOffset()) }

func (p *parser) last() *xpath.Node { return p.open[len(p.open)-1] }

func (p *parser) problem(what string) error {
	line, _ := p.decoder.InputPos()
	return &xml.SyntaxError{Msg: what, Line: line + bytes.Count(p.text[:p.skipped], []byte("\n"))}
}

func (p *parser) take(token xml.Token, from int) error {
	switch token := token.(type) {
	case xml.CharData:
		return p.characters(token, from)
	case xml.Directive:
		return p.directive(token)
	case xml.StartElement:
		return p.begin(token, from)
	case xml.EndElement:
		return p.end(token, from)
	case xml.Comment:
		return p.add(&xpath.Node{Kind: xpath.Comment, Data: string(token)})
	case xml.ProcInst:
		return p.add(&xpath.Node{Kind: xpath.Instruction, Name: &xpath.Name{Local: token.Target}, Data: string(token.Inst)})
	}
	return nil
}

// characters takes text or a CDATA section.
func (p *parser) characters(text []byte, from int) error {
	n := &xpath.Node{Kind: xpath.Text}
	if bytes.HasPrefix(p.text[from:], []byte("<![CDATA[")) {
		n.Kind = xpath.CDATA
	}
	switch {
	case len(p.open) > 1:
		n.Data = string(text)
		return p.add(n)
	case n.Kind == xpath.CDATA || len(bytes.TrimSpace(text)) > 0:
		return webhook.NewMessage("tourcms.xml_text_outside")
	}
	return nil
}

// doctype is a DOCTYPE without declarations of its own.
var doctype = regexp.MustCompile(`^DOCTYPE\s+[\pL_:][^\s\[]*(?:\s+(?:SYSTEM|PUBLIC\s+(?:"[^"]*"|'[^']*'))\s+(?:"[^"]*"|'[^']*'))?\s*$`)

func (p *parser) directive(token xml.Directive) error {
	if p.typed || p.root != nil || len(token) > 1000 || !doctype.Match(token) {
		return webhook.NewMessage("tourcms.xml_declaration")
	}
	p.typed = true
	return nil
}

// add puts a node into the element that is open.
func (p *parser) add(n *xpath.Node) error {
	if p.count++; p.count > maxNodes {
		return webhook.NewMessage("tourcms.xml_too_large", maxNodes)
	}
	n.Order, n.Last = p.count, p.count
	if n.Kind == xpath.Attribute {
		n.Parent = p.last()
		n.Parent.Attributes = append(n.Parent.Attributes, n)
	} else {
		p.last().Append(n)
	}
	return nil
}

func (p *parser) begin(token xml.StartElement, from int) error {
	switch {
	case len(p.open) == 1 && p.root != nil:
		return webhook.NewMessage("tourcms.xml_roots")
	case len(p.open) > platforms.MaxDepth:
		return webhook.NewMessage("tourcms.xml_too_deep", platforms.MaxDepth)
	}
	e := &xpath.Node{Kind: xpath.Element, Start: int32(from)}
	if err := p.add(e); err != nil {
		return err
	}
	if len(p.open) == 1 {
		p.root = e
	}
	p.open = append(p.open, e)
	attributes, err := p.attributes(token, from)
	if err != nil {
		return err
	}
	if err := p.declare(e, attributes); err != nil {
		return err
	}
	e.Name = p.name(token.Name, true)
	for _, a := range attributes {
		if declares(a) {
			continue
		}
		if err := p.add(&xpath.Node{Kind: xpath.Attribute, Name: p.name(a.Name, false), Data: a.Value}); err != nil {
			return err
		}
	}
	return nil
}

// attributes are those of a tag. White space in their values is spaces, unless it
// is written as a reference.
func (p *parser) attributes(token xml.StartElement, from int) ([]xml.Attr, error) {
	if !slices.ContainsFunc(token.Attr, func(a xml.Attr) bool { return strings.ContainsAny(a.Value, "\t\n") }) {
		return token.Attr, nil
	}
	tag := spaces.Replace(string(p.text[from:p.offset()]))
	again, err := xml.NewDecoder(strings.NewReader(tag)).RawToken()
	start, _ := again.(xml.StartElement)
	return start.Attr, err
}

var spaces = strings.NewReplacer("\r\n", " ", "\t", " ", "\n", " ", "\r", " ")

// declares reports whether the attribute declares a namespace.
func declares(a xml.Attr) bool {
	return a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns"
}

// declare takes what an element says about namespaces, and refuses an attribute
// that stands twice.
func (p *parser) declare(e *xpath.Node, attributes []xml.Attr) error {
	seen := make(map[xml.Name]bool, len(attributes))
	for _, a := range attributes {
		if seen[a.Name] {
			return p.problem("the attribute " + a.Name.Local + " is there twice")
		}
		seen[a.Name] = true
		if !declares(a) {
			continue
		}
		if p.declared++; p.declared > maxNodes {
			return webhook.NewMessage("tourcms.xml_too_large", maxNodes)
		}
		if e.Spaces == nil {
			e.Spaces = map[string]string{}
		}
		prefix := a.Name.Local
		if a.Name.Space == "" {
			prefix = ""
		}
		if _, again := e.Spaces[prefix]; !again {
			p.spaces[prefix] = append(p.spaces[prefix], a.Value)
		}
		e.Spaces[prefix] = a.Value
	}
	return nil
}

// name resolves the prefix of a name. One that was not declared is a part of the
// name, as in libxml2.
func (p *parser) name(raw xml.Name, element bool) *xpath.Name {
	name := xpath.Name{Prefix: raw.Space, Local: raw.Local}
	declared := p.spaces[raw.Space]
	switch {
	case raw.Space == "xml":
		name.Space = "http://www.w3.org/XML/1998/namespace"
	case len(declared) > 0 && (element || raw.Space != ""):
		name.Space = declared[len(declared)-1]
	case raw.Space != "":
		name = xpath.Name{Local: name.String()}
	}
	known, ok := p.names[name]
	if !ok {
		known = &name
		p.names[name] = known
	}
	return known
}

func (p *parser) end(token xml.EndElement, from int) error {
	name := xpath.Name{Prefix: token.Name.Space, Local: token.Name.Local}
	e := p.last()
	switch {
	case len(p.open) == 1:
		return p.problem("unexpected end element </" + name.String() + ">")
	case e.Name.String() != name.String():
		return p.problem("element <" + e.Name.String() + "> closed by </" + name.String() + ">")
	}
	e.Inside, e.End, e.Last = int32(from), int32(p.offset()), p.count
	for prefix := range e.Spaces {
		p.spaces[prefix] = p.spaces[prefix][:len(p.spaces[prefix])-1]
	}
	p.open = p.open[:len(p.open)-1]
	return nil
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
