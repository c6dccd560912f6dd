package xpath

import (
	"math"
	"strings"
	"unicode/utf8"
)

// function is one of XPath's functions.
type function struct {
	least, most int // arguments; most is -1 for any number
	do          func(c context, arguments []value) value
}

type call struct {
	name      string
	function  function // without do, if there is none of the name
	arguments []expression
}

func (x call) eval(c context) value {
	f := x.function
	switch {
	case f.do == nil && x.name == "id":
		c.fail(ErrUnsupported)
	case f.do == nil || len(x.arguments) < f.least || f.most >= 0 && len(x.arguments) > f.most:
		c.fail(errFunction)
	}
	arguments := make([]value, 0, len(x.arguments))
	for _, a := range x.arguments {
		if !c.spend(1) {
			break
		}
		arguments = append(arguments, a.eval(c))
	}
	if !c.spend(1) {
		return false
	}
	return f.do(c, arguments)
}

// functions are XPath's functions. An argument that may be left out is the context
// node.
var functions = map[string]function{
	"last":             {0, 0, func(c context, _ []value) value { return c.place(c.size) }},
	"position":         {0, 0, func(c context, _ []value) value { return c.place(c.position) }},
	"count":            {1, 1, func(c context, a []value) value { return float64(len(c.nodes(a[0]))) }},
	"local-name":       {0, 1, func(c context, a []value) value { return c.named(a).Local }},
	"namespace-uri":    {0, 1, func(c context, a []value) value { return c.named(a).Space }},
	"name":             {0, 1, func(c context, a []value) value { return c.named(a).String() }},
	"string":           {0, 1, func(c context, a []value) value { return c.string(c.given(a)) }},
	"concat":           {2, -1, concat},
	"starts-with":      {2, 2, func(c context, a []value) value { return strings.HasPrefix(c.two(a)) }},
	"contains":         {2, 2, func(c context, a []value) value { return strings.Contains(c.two(a)) }},
	"substring-before": {2, 2, substringBefore},
	"substring-after":  {2, 2, substringAfter},
	"substring":        {2, 3, substring},
	"string-length":    {0, 1, func(c context, a []value) value { return float64(utf8.RuneCountInString(c.handled(c.given(a)))) }},
	"normalize-space":  {0, 1, normalizeSpace},
	"translate":        {3, 3, translate},
	"boolean":          {1, 1, func(c context, a []value) value { return truth(a[0]) }},
	"not":              {1, 1, func(c context, a []value) value { return !truth(a[0]) }},
	"true":             {0, 0, func(context, []value) value { return true }},
	"false":            {0, 0, func(context, []value) value { return false }},
	"lang":             {1, 1, lang},
	"number":           {0, 1, func(c context, a []value) value { return c.number(c.given(a)) }},
	"sum":              {1, 1, sum},
	"floor":            {1, 1, func(c context, a []value) value { return math.Floor(c.number(a[0])) }},
	"ceiling":          {1, 1, func(c context, a []value) value { return math.Ceil(c.number(a[0])) }},
	"round":            {1, 1, func(c context, a []value) value { return round(c.number(a[0])) }},
}

// place is a position or size, which there is in predicates only.
func (c context) place(n int) value {
	if c.size == 0 {
		c.fail(errContext)
	}
	return float64(n)
}

// given is the only argument.
func (c context) given(a []value) value {
	if len(a) == 0 {
		return nodes{c.node}
	}
	return a[0]
}

// named is the name of the first node given.
func (c context) named(a []value) *Name {
	found := c.nodes(c.given(a))
	if len(found) == 0 || found[0].Name == nil {
		return &Name{}
	}
	name := found[0].Name
	c.effort.SpendText(len(name.Prefix) + len(name.Local) + len(name.Space))
	return name
}

// handled is the text of an argument that is gone through.
func (c context) handled(v value) string {
	text := c.string(v)
	c.effort.SpendText(len(text))
	return text
}

func (c context) two(a []value) (string, string) { return c.handled(a[0]), c.handled(a[1]) }

func concat(c context, a []value) value {
	var b strings.Builder
	for _, v := range a {
		text := c.handled(v)
		if !c.spend(1) {
			break
		}
		b.WriteString(text)
	}
	return b.String()
}

func substringBefore(c context, a []value) value {
	before, _, found := strings.Cut(c.two(a))
	if !found {
		return ""
	}
	return before
}

func substringAfter(c context, a []value) value {
	_, after, _ := strings.Cut(c.two(a))
	return after
}

// substring counts characters from 1, and rounds where it begins and how long it
// is.
func substring(c context, a []value) value {
	text, from := c.handled(a[0]), round(c.number(a[1]))
	to := math.Inf(1)
	if len(a) == 3 {
		to = from + round(c.number(a[2]))
	}
	var b strings.Builder
	at := 1.0
	for _, r := range text {
		if at >= from && at < to {
			b.WriteRune(r)
		}
		at++
	}
	return b.String()
}

func normalizeSpace(c context, a []value) value {
	space := func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(c.handled(c.given(a)), space) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

// translate replaces each character of the second text with that in its place in
// the third, or removes it.
func translate(c context, a []value) value {
	to := []rune(c.handled(a[2]))
	replaced := map[rune]rune{}
	for i, r := range []rune(c.handled(a[1])) {
		if _, known := replaced[r]; known {
			continue
		}
		replaced[r] = -1
		if i < len(to) {
			replaced[r] = to[i]
		}
	}
	return strings.Map(func(r rune) rune {
		if other, ok := replaced[r]; ok {
			return other
		}
		return r
	}, c.handled(a[0]))
}

// lang compares with the nearest xml:lang, or what stands before a - in it.
func lang(c context, a []value) value {
	wanted := c.handled(a[0])
	for n := c.node; n != nil && c.spend(1+len(n.Attributes)); n = n.Parent {
		for _, attribute := range n.Attributes {
			if attribute.Name.Local == "lang" && attribute.Name.Space == xmlSpace {
				said := attribute.Data
				c.effort.SpendText(len(said))
				if len(said) > len(wanted) && said[len(wanted)] == '-' {
					said = said[:len(wanted)]
				}
				return strings.EqualFold(said, wanted)
			}
		}
	}
	return false
}

func sum(c context, a []value) value {
	total := 0.0
	for _, n := range c.nodes(a[0]) {
		total += readNumber(c.text(n))
	}
	return total
}

// round rounds halves up.
func round(n float64) float64 {
	if n >= -0.5 && n < 0.5 {
		return n * 0
	}
	return math.Floor(n + 0.5)
}
