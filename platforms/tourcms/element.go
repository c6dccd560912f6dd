package tourcms

import (
	"strings"

	"bookhook/platforms/tourcms/xpath"
)

// element is one element of a document.
type element xpath.Node

// child is the first child of this name, nil when there is none. It may be asked
// of nil.
func (e *element) child(name string) *element {
	for c := range e.named(name) {
		return c
	}
	return nil
}

// named goes through the children of this name, which have no prefix: as in
// SimpleXML, they may be in the default namespace.
func (e *element) named(name string) func(yield func(*element) bool) {
	return func(yield func(*element) bool) {
		if e == nil {
			return
		}
		for _, c := range e.Children {
			if c.Kind == xpath.Element && c.Name.Prefix == "" && c.Name.Local == name && !yield((*element)(c)) {
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
	return strings.TrimSpace(c.text())
}

// text is what PHP's SimpleXML casts the element to: the text directly inside, not
// that of its children.
func (e *element) text() string {
	var found string
	var more strings.Builder
	for _, c := range e.Children {
		switch {
		case c.Kind != xpath.Text && c.Kind != xpath.CDATA:
		case found == "":
			found = c.Data
		default:
			more.WriteString(c.Data)
		}
	}
	return found + more.String()
}
