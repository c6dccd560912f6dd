package xpath

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNesting is how deep parentheses and predicates may be nested.
const maxNesting = 100

var errSyntax = errors.New("this is not an XPath expression")

// Expr is a compiled expression. It may be used by several goroutines.
type Expr struct{ root expression }

// Compile reads an expression. It fails on what libxml2 does not read either, and
// on more than a hundred levels of parentheses and predicates.
func Compile(text string) (*Expr, error) {
	p := parser{rest: text}
	p.space()
	root := p.expression()
	if p.failed || p.rest != "" {
		return nil, errSyntax
	}
	return &Expr{root}, nil
}

// parser reads an expression from left to right, without tokens, as libxml2 does.
// Once it has failed, nothing is left to read.
type parser struct {
	rest   string
	depth  int
	failed bool
}

func (p *parser) fail() {
	p.failed, p.rest = true, ""
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// accept skips the text and the space behind it, if it is there.
func (p *parser) accept(text string) bool {
	rest, ok := strings.CutPrefix(p.rest, text)
	if ok {
		p.rest = rest
		p.space()
	}
	return ok
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.fail()
	}
}

// levels are the binary operators, the loosest first. One that begins like another
// comes after it.
var levels = [][]string{{"or"}, {"and"}, {"=", "!="}, {"<=", ">=", "<", ">"}, {"+", "-"}, {"*", "div", "mod"}}

func (p *parser) expression() expression {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxNesting {
		p.fail()
	}
	return p.binary(0)
}

func (p *parser) binary(level int) expression {
	if level == len(levels) {
		return p.unary()
	}
	first := p.binary(level + 1)
	var more []operation
	for {
		operator := p.operator(levels[level])
		if operator == "" {
			break
		}
		more = append(more, operation{operator, p.binary(level + 1)})
	}
	if len(more) == 0 {
		return first
	}
	return chain{first, more}
}

func (p *parser) operator(of []string) string {
	for _, operator := range of {
		if p.accept(operator) {
			return operator
		}
	}
	return ""
}

func (p *parser) unary() expression {
	negations := 0
	for p.accept("-") {
		negations++
	}
	x := p.union()
	if negations > 0 {
		return negation{x, negations%2 == 1}
	}
	return x
}

func (p *parser) union() expression {
	parts := []expression{p.path()}
	for p.accept("|") {
		parts = append(parts, p.path())
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return union(parts)
}

// path reads a location path, or another expression with its predicates and the
// steps behind it.
func (p *parser) path() expression {
	from, ok := p.primary()
	if !ok {
		return p.location()
	}
	filtered := path{from: from, predicates: p.predicates()}
	if strings.HasPrefix(p.rest, "/") {
		filtered.steps = p.steps(nil)
	}
	if len(filtered.predicates) == 0 && len(filtered.steps) == 0 {
		return from
	}
	return filtered
}

// primary reads what is no location path, if it is there.
func (p *parser) primary() (expression, bool) {
	first, _ := utf8.DecodeRuneInString(p.rest)
	switch {
	case p.rest == "":
		return nil, false
	case p.accept("$"):
		p.qualified()
		p.space()
		return failure{errVariable}, true
	case p.accept("("):
		x := p.expression()
		p.expect(")")
		return x, true
	case first == '\'' || first == '"':
		return literal(p.quoted()), true
	case digit(p.rest, 0) || first == '.' && digit(p.rest, 1):
		return p.number(), true
	}
	before := p.rest
	prefix, name := p.qualified()
	p.space()
	if name == "" || prefix == "" && nodeTypes[name] || !p.accept("(") {
		p.rest = before
		return nil, false
	}
	return p.call(prefix, name), true
}

// call reads the arguments of a function.
func (p *parser) call(prefix, name string) expression {
	c := call{name: name, function: functions[name]}
	if prefix != "" {
		c.function = function{}
	}
	if p.accept(")") {
		return c
	}
	for {
		c.arguments = append(c.arguments, p.expression())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return c
}

func digit(text string, at int) bool {
	return at < len(text) && text[at] >= '0' && text[at] <= '9'
}

// quoted reads a text in quotes.
func (p *parser) quoted() string {
	if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
		p.fail()
		return ""
	}
	text, rest, ok := strings.Cut(p.rest[1:], p.rest[:1])
	if !ok {
		p.fail()
		return ""
	}
	p.rest = rest
	p.space()
	return text
}

func (p *parser) number() expression {
	value, n := leadingNumber(p.rest)
	p.rest = p.rest[n:]
	p.space()
	return number(value)
}

// leadingNumber reads the number without a sign at the beginning of the text, and
// returns how long it is, 0 if there is none: digits with a point among them, and
// an exponent. As in libxml2, the exponent may lack its digits.
func leadingNumber(text string) (value float64, length int) {
	digits := func(at int) int {
		for digit(text, at) {
			at++
		}
		return at
	}
	end := digits(0)
	if strings.HasPrefix(text[end:], ".") && (end > 0 || digit(text, 1)) {
		end = digits(end + 1)
	}
	if end == 0 {
		return math.NaN(), 0
	}
	length, counts := end, end
	if strings.HasPrefix(text[end:], "e") || strings.HasPrefix(text[end:], "E") {
		exponent := end + 1
		if strings.HasPrefix(text[exponent:], "+") || strings.HasPrefix(text[exponent:], "-") {
			exponent++
		}
		if length = digits(exponent); length > exponent {
			counts = length
		}
	}
	value, _ = strconv.ParseFloat(text[:counts], 64) //nolint:errcheck // what is too large is infinite
	return value, length
}

// name reads a name without a colon; "" if there is none.
func (p *parser) name() string {
	end := 0
	for i, r := range p.rest {
		first := r == '_' || unicode.IsLetter(r)
		if !first && (i == 0 || r != '-' && r != '.' && r != '·' && !unicode.In(r, unicode.Nd, unicode.M)) {
			break
		}
		end = i + utf8.RuneLen(r)
	}
	name := p.rest[:end]
	p.rest = p.rest[end:]
	return name
}

// qualified reads a name with or without a prefix.
func (p *parser) qualified() (prefix, name string) {
	name = p.name()
	if name == "" || !strings.HasPrefix(p.rest, ":") || strings.HasPrefix(p.rest, "::") {
		return "", name
	}
	p.rest = p.rest[1:]
	return name, p.name()
}
