// Package xpath evaluates XPath 1.0 expressions as libxml2 does, and no further
// than a given [Effort] goes: who chooses the expressions and the document may be
// anybody.
//
// [Compile] reads an expression, [Expr.Eval] evaluates it. The tree of [Node]s is
// made by the caller. Where libxml2 and the recommendation
// (https://www.w3.org/TR/1999/REC-xpath-19991116/) differ, libxml2 is followed: an
// operator need not be parted from what is behind it ("a mod2"), numbers may have an
// exponent and are written as libxml2 does, an unknown function or prefix is an
// error only once it is reached. The namespace axis and id() are the two parts of
// XPath that are missing: [ErrUnsupported].
//
// Every node that is visited and every eight bytes of text that are handled cost
// one unit of the effort. What is found is kept as pointers to nodes, so that the
// effort also bounds the memory.
package xpath

import "strings"

// Kind is what a node is.
type Kind uint8

// The kinds of nodes. CDATA is text to XPath, but a kind of its own to libxml2's
// users.
const (
	Document Kind = iota
	Element
	Attribute
	Text
	CDATA
	Comment
	Instruction
)

// Name is the name of an element or attribute; of a processing instruction only
// Local is set.
type Name struct {
	Prefix, Local string
	Space         string // the namespace
}

// String is the name as the document has it.
func (n *Name) String() string {
	if n.Prefix == "" {
		return n.Local
	}
	return n.Prefix + ":" + n.Local
}

// Node is a node of a document. Texts beside each other are one node; a CDATA
// section is always one of its own.
type Node struct {
	Kind                 Kind
	Order, Last          int32 // its place in the document, and that of the last node in it; attributes come before children
	Index                int32 // among the parent's children
	Start, Inside, End   int32 // byte offsets of an element: of its tag, of its end tag, and behind it
	Name                 *Name
	Data                 string // of what is no element
	Parent               *Node
	Attributes, Children []*Node
	Spaces               map[string]string // the namespaces that an element declares, by prefix
}

// Append adds a child.
func (n *Node) Append(c *Node) {
	c.Parent, c.Index = n, int32(len(n.Children))
	n.Children = append(n.Children, c)
}

// text reports whether it is text to XPath.
func (n *Node) text() bool { return n.Kind == Text || n.Kind == CDATA }

// Value is the string-value: of an element or document all the text inside.
func (n *Node) Value() string {
	switch {
	case n.Kind > Element:
		return n.Data
	case len(n.Children) == 1 && n.Children[0].text():
		return n.Children[0].Data
	}
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *Node) write(b *strings.Builder) {
	for _, c := range n.Children {
		if c.text() {
			b.WriteString(c.Data)
		} else if c.Kind == Element {
			c.write(b)
		}
	}
}
