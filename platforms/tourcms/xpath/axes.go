package xpath

// axis is the direction of a step.
type axis uint8

const (
	child axis = iota
	attribute
	self
	parent
	descendant
	descendantOrSelf
	ancestor
	ancestorOrSelf
	following
	followingSibling
	preceding
	precedingSibling
	namespace
)

var axes = map[string]axis{
	"child": child, "attribute": attribute, "self": self, "parent": parent,
	"descendant": descendant, "descendant-or-self": descendantOrSelf, "ancestor": ancestor, "ancestor-or-self": ancestorOrSelf,
	"following": following, "following-sibling": followingSibling, "preceding": preceding, "preceding-sibling": precedingSibling,
	"namespace": namespace,
}

// nodes goes along an axis from a node, the nearest first.
func (a axis) nodes(n *Node, yield func(*Node) bool) {
	switch a {
	case child:
		each(n.Children, yield)
	case attribute:
		each(n.Attributes, yield)
	case self:
		yield(n)
	case parent:
		if n.Parent != nil {
			yield(n.Parent)
		}
	case descendant:
		n.below(yield)
	case descendantOrSelf:
		_ = yield(n) && n.below(yield)
	case ancestor, ancestorOrSelf:
		if a == ancestor {
			n = n.Parent
		}
		for ; n != nil && yield(n); n = n.Parent {
		}
	case followingSibling:
		each(n.after(), yield)
	case precedingSibling:
		backwards(n.before(), yield)
	case following:
		n.following(yield)
	case preceding:
		n.preceding(yield)
	}
}

func each(all []*Node, yield func(*Node) bool) bool {
	for _, n := range all {
		if !yield(n) {
			return false
		}
	}
	return true
}

func backwards(all []*Node, yield func(*Node) bool) bool {
	for i := len(all) - 1; i >= 0; i-- {
		if !yield(all[i]) {
			return false
		}
	}
	return true
}

// below goes through what is in the node, without its attributes.
func (n *Node) below(yield func(*Node) bool) bool {
	return each(n.Children, func(c *Node) bool { return yield(c) && c.below(yield) })
}

// after are the siblings behind the node; an attribute has none.
func (n *Node) after() []*Node {
	if n.Parent == nil || n.Kind == Attribute {
		return nil
	}
	return n.Parent.Children[n.Index+1:]
}

func (n *Node) before() []*Node {
	if n.Parent == nil || n.Kind == Attribute {
		return nil
	}
	return n.Parent.Children[:n.Index]
}

// following goes through all that begins behind the node; for an attribute, as in
// libxml2, through all that begins behind its element.
func (n *Node) following(yield func(*Node) bool) {
	if n.Kind == Attribute {
		n = n.Parent
	}
	for ; n != nil; n = n.Parent {
		if !each(n.after(), func(c *Node) bool { return yield(c) && c.below(yield) }) {
			return
		}
	}
}

// preceding goes backwards through all that ends before the node.
func (n *Node) preceding(yield func(*Node) bool) {
	if n.Kind == Attribute {
		n = n.Parent
	}
	for ; n != nil; n = n.Parent {
		if !backwards(n.before(), func(c *Node) bool { return c.backwards(yield) }) {
			return
		}
	}
}

// backwards goes through the node and what is in it from its end.
func (n *Node) backwards(yield func(*Node) bool) bool {
	return backwards(n.Children, func(c *Node) bool { return c.backwards(yield) }) && yield(n)
}

// reverse reports whether the axis goes backwards.
func (a axis) reverse() bool {
	return a == ancestor || a == ancestorOrSelf || a == preceding || a == precedingSibling
}
