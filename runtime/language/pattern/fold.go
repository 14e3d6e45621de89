package pattern

import (
	"slices"
	"sync"
	"unicode"
)

// canonicalize is the language's Canonicalize: what a character is compared by with the flag i.
// With u or v, by Unicode's simple case folding, of which the smallest character that folds alike
// stands for all; else by the capital letter, if that is one unit, and never by one of ASCII for a
// letter that isn't.
func canonicalize(c rune, fullUnicode bool) rune {
	if c < 128 {
		if c >= 'a' && c <= 'z' {
			return c - 32
		}
		return c
	}
	if fullUnicode {
		least := c
		switch c { // younger than Go's tables
		case 0x1fd3:
			return 0x390
		case 0x1fe3:
			return 0x3b0
		case 0xfb06:
			return 0xfb05
		}
		for f := unicode.SimpleFold(c); f != c; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}
	if c > 0xffff || longCapitals.has(c) {
		return c
	}
	capital := unicode.ToUpper(c)
	if capital < 128 || capital > 0xffff {
		return c
	}
	return capital
}

// longCapitals are the letters whose capital is more than one character.
var longCapitals = set{
	{0xdf, 0xdf}, {0x149, 0x149}, {0x1f0, 0x1f0}, {0x390, 0x390}, {0x3b0, 0x3b0}, {0x587, 0x587}, {0x1e96, 0x1e9a}, {0x1f50, 0x1f50},
	{0x1f52, 0x1f52}, {0x1f54, 0x1f54}, {0x1f56, 0x1f56}, {0x1f80, 0x1faf}, {0x1fb2, 0x1fb4}, {0x1fb6, 0x1fb7}, {0x1fbc, 0x1fbc},
	{0x1fc2, 0x1fc4}, {0x1fc6, 0x1fc7}, {0x1fcc, 0x1fcc}, {0x1fd2, 0x1fd3}, {0x1fd6, 0x1fd7}, {0x1fe2, 0x1fe4}, {0x1fe6, 0x1fe7},
	{0x1ff2, 0x1ff4}, {0x1ff6, 0x1ff7}, {0x1ffc, 0x1ffc}, {0xfb00, 0xfb06}, {0xfb13, 0xfb17},
}

// folding has, for each character that is compared by another or by which another is compared, all
// those that are alike.
type folding struct {
	alike map[rune][]rune
	cased []rune // the keys, in order
}

var (
	legacyFolding  = sync.OnceValue(func() folding { return newFolding(false) })
	unicodeFolding = sync.OnceValue(func() folding { return newFolding(true) })
)

func foldingOf(fullUnicode bool) folding {
	if fullUnicode {
		return unicodeFolding()
	}
	return legacyFolding()
}

func newFolding(fullUnicode bool) folding {
	by := map[rune][]rune{}
	add := func(lo, hi rune) {
		for c := lo; c <= hi; c++ {
			if k := canonicalize(c, fullUnicode); k != c {
				by[k] = append(by[k], c)
			}
		}
	}
	// Case goes no further than the planes with scripts.
	add(0, 0x2fff)
	add(0xa000, 0xabff)
	add(0xf900, 0xffff)
	if fullUnicode {
		add(0x10000, 0x1ffff)
	}
	f := folding{alike: make(map[rune][]rune, 4*len(by))}
	for k, others := range by {
		all := append([]rune{k}, others...)
		slices.Sort(all)
		for _, c := range all {
			f.alike[c] = all
			f.cased = append(f.cased, c)
		}
	}
	slices.Sort(f.cased)
	return f
}

// closure is a set with all that is alike to what is in it.
func closure(s set, fullUnicode bool) set {
	f := foldingOf(fullUnicode)
	b := setBuilder{spans: slices.Clone(s)}
	for _, r := range s {
		i, _ := slices.BinarySearch(f.cased, r.lo)
		for ; i < len(f.cased) && f.cased[i] <= r.hi; i++ {
			for _, c := range f.alike[f.cased[i]] {
				if c < r.lo || c > r.hi {
					b.add(c, c)
				}
			}
		}
	}
	return b.set()
}

// isWord tells whether \b takes a character for one of a word.
func isWord(c rune, folded bool) bool {
	if c < 128 {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
	}
	return folded && (c == 0x17f || c == 0x212a)
}
