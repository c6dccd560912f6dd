package xpath

import (
	"math"
	"strconv"
	"strings"
)

func truth(v value) bool {
	switch v := v.(type) {
	case nodes:
		return len(v) > 0
	case string:
		return v != ""
	case float64:
		return v != 0 && !math.IsNaN(v)
	case bool:
		return v
	}
	return false
}

func (e *evaluation) number(v value) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	}
	text := e.string(v)
	e.effort.SpendText(len(text))
	return readNumber(text)
}

func (e *evaluation) string(v value) string {
	switch v := v.(type) {
	case nodes:
		if len(v) > 0 {
			return e.text(v[0])
		}
	case string:
		return v
	case float64:
		return writeNumber(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// readNumber reads a number with a minus before it, perhaps, and space around.
func readNumber(text string) float64 {
	text = strings.Trim(text, " \t\r\n")
	digits := strings.TrimPrefix(text, "-")
	n, length := leadingNumber(digits)
	switch {
	case length == 0 || length < len(digits):
		return math.NaN()
	case len(digits) < len(text):
		return -n
	}
	return n
}

// writeNumber writes a number as libxml2 does: with 15 digits at most, and with an
// exponent if it is very large or small.
func writeNumber(n float64) string {
	size := math.Abs(n)
	switch {
	case math.IsNaN(n):
		return "NaN"
	case math.IsInf(n, 0):
		return strings.TrimPrefix(strconv.FormatFloat(n, 'f', -1, 64), "+") + "inity"
	case n == 0:
		return "0"
	case n == math.Trunc(n) && size < math.MaxInt32:
		return strconv.FormatFloat(n, 'f', 0, 64)
	case size > 1e9 || size < 1e-5:
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(n, 'e', 14, 64), "e")
		return strings.TrimSuffix(strings.TrimRight(mantissa, "0"), ".") + "e" + exponent
	}
	whole := int(math.Log10(size))
	places := 15 - whole
	if whole > 0 {
		places--
	}
	text := strconv.FormatFloat(n, 'f', places, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// equal compares with = or !=: nodes are, if one of them is.
func (e *evaluation) equal(a, b value, not bool) bool {
	if _, ok := b.(nodes); ok {
		a, b = b, a
	}
	found, isNodes := a.(nodes)
	if !isNodes {
		return e.same(a, b) != not
	}
	switch b := b.(type) {
	case nodes:
		if not {
			return e.differ(found, b)
		}
		return e.meet(found, b)
	case bool:
		return (len(found) > 0) == b != not
	}
	for _, n := range found {
		if e.same(e.text(n), b) != not {
			return true
		}
	}
	return false
}

// same compares two values, none of them nodes.
func (e *evaluation) same(a, b value) bool {
	_, aBool := a.(bool)
	_, bBool := b.(bool)
	_, aNumber := a.(float64)
	_, bNumber := b.(float64)
	switch {
	case aBool || bBool:
		return truth(a) == truth(b)
	case aNumber || bNumber:
		return e.number(a) == e.number(b)
	}
	one, other := e.string(a), e.string(b)
	e.effort.SpendText(min(len(one), len(other)))
	return one == other
}

// meet reports whether one of the first has the text of one of the others.
func (e *evaluation) meet(some, others nodes) bool {
	texts := map[string]bool{}
	for _, n := range some {
		texts[e.text(n)] = true
	}
	for _, n := range others {
		if texts[e.text(n)] {
			return true
		}
	}
	return false
}

// differ reports whether one of the first has another text than one of the others.
func (e *evaluation) differ(some, others nodes) bool {
	if len(some) == 0 || len(others) == 0 {
		return false
	}
	first := e.text(some[0])
	for _, set := range []nodes{others, some} {
		for _, n := range set {
			if e.text(n) != first {
				return true
			}
		}
	}
	return false
}

var turned = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}

// compare compares numbers; with nodes it holds if it does for one of them.
func (e *evaluation) compare(operator string, a, b value) bool {
	if operator[0] == '>' {
		return e.compare(turned[operator], b, a)
	}
	_, aBool := a.(bool)
	_, bBool := b.(bool)
	low, high := e.extreme(a, -1, bBool), e.extreme(b, 1, aBool)
	return low < high || operator == "<=" && low == high
}

// extreme is the least or, in direction 1, the greatest number of some nodes; of
// anything else, and of nodes beside a bool, its number.
func (e *evaluation) extreme(v value, direction float64, besideBool bool) float64 {
	found, ok := v.(nodes)
	switch {
	case ok && besideBool:
		return e.number(len(found) > 0)
	case !ok:
		return e.number(v)
	}
	best := math.NaN()
	for _, n := range found {
		if x := readNumber(e.text(n)); math.IsNaN(best) || x*direction > best*direction {
			best = x
		}
	}
	return best
}
