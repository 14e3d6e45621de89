package intl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// rules are CLDR's for the categories of a language's plurals.
type rules struct {
	kind       string
	categories []category // all but "other"
}

type category struct {
	name string
	any  [][]relation // of which one must hold: all of its relations
}

// relation is "n % 10 = 2..4,7" or its contrary.
type relation struct {
	operand byte
	modulo  int64
	not     bool
	ranges  [][2]int64
}

// categoryNames are in the order in which rules are tried; which are used is up to the language.
var categoryNames = []string{"zero", "one", "two", "few", "many"}

func loadRules(kind, locale, language string) (*rules, error) {
	r := &rules{kind: kind}
	prefix := "plural/" + kind + "/" + locale + "/"
	if rule(prefix+"other") == "" && !hasRule(prefix+"other") {
		prefix = "plural/" + kind + "/" + language + "/"
	}
	for _, name := range categoryNames {
		text := rule(prefix + name)
		if text == "" {
			continue
		}
		c := category{name: name}
		for _, or := range strings.Split(text, " or ") {
			var all []relation
			for _, and := range strings.Split(or, " and ") {
				one, err := parseRelation(and)
				if err != nil {
					return nil, fmt.Errorf("plural rule of %s: %w", language, err)
				}
				all = append(all, one)
			}
			c.any = append(c.any, all)
		}
		r.categories = append(r.categories, c)
	}
	return r, nil
}

func hasRule(key string) bool {
	_, ok := supplemental().Get(key)
	return ok
}

func parseRelation(text string) (relation, error) {
	words := strings.Fields(text)
	var r relation
	if len(words) == 5 && words[1] == "%" {
		n, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			return r, err
		}
		r.modulo = n
		words = slices.Delete(words, 1, 3)
	}
	if len(words) != 3 || len(words[0]) != 1 || words[1] != "=" && words[1] != "!=" {
		return r, fmt.Errorf("cannot read %q", text)
	}
	r.operand, r.not = words[0][0], words[1] == "!="
	for _, item := range strings.Split(words[2], ",") {
		low, high, between := strings.Cut(item, "..")
		if !between {
			high = low
		}
		a, err := strconv.ParseInt(low, 10, 64)
		if err != nil {
			return r, err
		}
		b, err := strconv.ParseInt(high, 10, 64)
		if err != nil {
			return r, err
		}
		r.ranges = append(r.ranges, [2]int64{a, b})
	}
	return r, nil
}

// of gives the category of a number as it is shown: with its zeros, and the power of ten that its
// notation took out.
func (r *rules) of(d rounded, exponent int) string {
	if exponent < 0 {
		return "other"
	}
	for _, c := range r.categories {
		for _, all := range c.any {
			if !slices.ContainsFunc(all, func(one relation) bool { return !one.holds(d, exponent) }) {
				return c.name
			}
		}
	}
	return "other"
}

func (r relation) holds(d rounded, exponent int) bool {
	value, whole := operand(r.operand, d, exponent)
	if r.modulo > 0 {
		value %= r.modulo
	}
	in := whole && slices.ContainsFunc(r.ranges, func(b [2]int64) bool { return b[0] <= value && value <= b[1] })
	return in != r.not
}

// operand gives one of the numbers that rules ask for; whole is false of one that is no whole
// number.
func operand(name byte, d rounded, exponent int) (value int64, whole bool) {
	// What stands before the point once the exponent is put back.
	integer, fraction := d.whole, d.fraction
	shift := min(exponent, len(fraction))
	integer, fraction = integer+fraction[:shift]+strings.Repeat("0", exponent-shift), fraction[shift:]
	bare := strings.TrimRight(fraction, "0")
	switch name {
	case 'n':
		return lastDigits(integer), bare == ""
	case 'i':
		return lastDigits(integer), true
	case 'v':
		return int64(len(fraction)), true
	case 'w':
		return int64(len(bare)), true
	case 'f':
		return lastDigits(fraction), true
	case 't':
		return lastDigits(bare), true
	case 'e', 'c':
		return int64(exponent), true
	}
	return 0, false
}

// lastDigits reads a number, or as many of its last digits as any rule looks at, and one more.
func lastDigits(digits string) int64 {
	digits = strings.TrimLeft(digits, "0")
	if len(digits) > 15 {
		digits = "1" + digits[len(digits)-15:]
	}
	n, _ := strconv.ParseInt(digits, 10, 64) // "" is 0
	return n
}

// names gives the categories that a language has, in the order in which V8 lists them.
func (r *rules) names() []string {
	out := []string{}
	for _, name := range listedCategories {
		if slices.ContainsFunc(r.categories, func(c category) bool { return c.name == name }) {
			out = append(out, name)
		}
	}
	return append(out, "other")
}

var listedCategories = []string{"few", "many", "one", "two", "zero"}
