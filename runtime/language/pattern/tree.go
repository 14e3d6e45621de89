package pattern

// kind of a node.
type kind uint8

const (
	kindEmpty     kind = iota
	kindSequence       // of subs
	kindChoice         // between subs
	kindChar           // char
	kindSet            // set, and strings beside it
	kindBegin          // ^
	kindEnd            // $
	kindBoundary       // \b, negated \B
	kindGroup          // subs[0], captured as the group index
	kindLook           // subs[0], ahead or behind, negated or not
	kindRepeat         // subs[0], min to max times
	kindReference      // to the groups, of which one at most has matched
)

// infinite is a quantifier without an upper end.
const infinite = 1<<31 - 1

// node of the tree that an expression is parsed to.
type node struct {
	kind kind
	// flags are IgnoreCase, Multiline and DotAll as they are here: modifiers change them.
	flags Flags
	subs  []*node

	char    rune
	set     set
	strings [][]rune // which a class with the flag v matches beside single characters, the longest first

	negated, behind bool

	min, max int
	lazy     bool
	empty    emptiness

	// index is a group's number; first and last are the groups inside a quantifier, last not
	// included.
	index       int
	first, last int

	groups []int
	name   string // of a reference that isn't resolved yet
	at     int    // where in the source it is
}

// emptiness is whether a node may match nothing, once that is known.
type emptiness uint8

const (
	unknown emptiness = iota
	mayBeEmpty
	neverEmpty
)

// nullable tells whether a node may match nothing. It remembers it: quantifiers around quantifiers
// all ask.
func (n *node) nullable() bool {
	if n.empty == unknown {
		n.empty = neverEmpty
		if n.findNullable() {
			n.empty = mayBeEmpty
		}
	}
	return n.empty == mayBeEmpty
}

func (n *node) findNullable() bool {
	switch n.kind {
	case kindSequence:
		for _, s := range n.subs {
			if !s.nullable() {
				return false
			}
		}
	case kindChoice:
		for _, s := range n.subs {
			if s.nullable() {
				return true
			}
		}
		return false
	case kindChar:
		return false
	case kindSet:
		return len(n.strings) > 0 && len(n.strings[len(n.strings)-1]) == 0
	case kindGroup:
		return n.subs[0].nullable()
	case kindRepeat:
		return n.min == 0 || n.subs[0].nullable()
	}
	return true
}
