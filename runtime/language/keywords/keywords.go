package keywords

import (
	"iter"
	"reflect"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/unistring"
)

// names gives the places where the words are names, and the words: what comes next says so. Members
// (a.get = 1) are left out, goja knows what they are; and where a text says the same in a string, or
// of a variable, nothing is lost, for it is revealed again. It reads by hand: a regular expression
// takes as long as parsing.
func names(text string) iter.Seq2[int, string] {
	return func(yield func(at int, word string) bool) {
		for i := range len(text) {
			word := wordAt(text[i:])
			if word == "" || i > 0 && isPartBefore(text[i-1]) || !isNameBefore(word, text[i+len(word):]) {
				continue
			}
			if !yield(i, word) {
				return
			}
		}
	}
}

// wordAt is the word that a text begins with; "" if it begins otherwise.
func wordAt(text string) string {
	switch text[0] {
	case 'g':
		if strings.HasPrefix(text, "get") {
			return "get"
		}
	case 's':
		if strings.HasPrefix(text, "set") {
			return "set"
		}
	case 'a':
		if strings.HasPrefix(text, "async") {
			return "async"
		}
	}
	return ""
}

// IsWord tells the letters, digits and the underscore that words consist of, as patterns' \w does. ($,
// and what lies beyond ASCII, is left to who asks.)
func IsWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isPartBefore tells what makes a word before which it stands a part or a member of something.
func isPartBefore(c byte) bool {
	return c == '$' || c == '.' || c == '\\' || IsWord(c)
}

// isNameBefore tells whether a word is a name where the rest of the text follows it.
func isNameBefore(word, rest string) bool {
	rest = strings.TrimLeft(rest, " \t")
	if rest == "" {
		return true
	}
	switch rest[0] {
	case '=':
		return len(rest) == 1 || rest[1] != '=' && rest[1] != '>'
	case '}':
		return true
	case '\r', '\n':
		return word == "async"
	}
	return false
}

// Disguised is a text whose names have others in their places, of the same length, that are nowhere
// else in it.
type Disguised struct {
	Text    string
	instead []pair // nil: the text is as it was
}

type pair struct{ word, disguise string }

// Needed tells whether there may be something to disguise in a text.
func Needed(text string) bool {
	for range names(text) {
		return true
	}
	return hasLast(text)
}

// Disguise disguises the words where they are names.
func Disguise(text string) Disguised {
	d := Disguised{}
	text = d.disguiseLast(text)
	var b strings.Builder
	end := 0
	for at, word := range names(text) {
		b.WriteString(text[end:at])
		b.WriteString(d.disguise(text, word))
		end = at + len(word)
	}
	d.Text = text
	if end > 0 {
		b.WriteString(text[end:])
		d.Text = b.String()
	}
	return d
}

// disguise gives the name that stands for a word; the word if there is none.
func (d *Disguised) disguise(text, word string) string {
	if i := slices.IndexFunc(d.instead, func(p pair) bool { return p.word == word }); i >= 0 {
		return d.instead[i].disguise
	}
	other := unused(text, word, d.instead)
	if other != word {
		d.instead = append(d.instead, pair{word, other})
	}
	return other
}

// maxTried is how many names are looked for in a text: who has them all in it meant to.
const maxTried = 2000

// unused gives a name as long as a word that a text doesn't have; the word if there is none.
func unused(text, word string, taken []pair) string {
	const letters = "$_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	for n := range maxTried {
		name := []byte("$" + strings.Repeat("_", len(word)-1))
		name[len(name)-2], name[len(name)-1] = letters[n/len(letters)%len(letters)], letters[n%len(letters)]
		other := string(name)
		if !strings.Contains(text, other) && !slices.ContainsFunc(taken, func(p pair) bool {
			return strings.Contains(p.disguise, other) || strings.Contains(other, p.disguise)
		}) {
			return other
		}
	}
	return word
}

// Reveal puts the words back into the tree of the text.
func (d Disguised) Reveal(tree *ast.Program) {
	if d.instead == nil {
		return
	}
	var list []string
	for _, p := range d.instead {
		list = append(list, p.disguise, p.word)
	}
	reveal(reflect.ValueOf(tree).Elem(), strings.NewReplacer(list...))
}

var (
	fileType = reflect.TypeFor[*file.File]()
	textType = reflect.TypeFor[unistring.String]()
)

func reveal(v reflect.Value, words *strings.Replacer) {
	switch v.Kind() { //nolint:exhaustive // the rest holds no text
	case reflect.Interface:
		if v.IsNil() {
			return
		}
		reveal(v.Elem(), words)
	case reflect.Pointer:
		if v.IsNil() || v.Type() == fileType {
			return
		}
		reveal(v.Elem(), words)
	case reflect.Slice:
		for i := range v.Len() {
			reveal(v.Index(i), words)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			// Declaration lists repeat what the bodies hold.
			if f := v.Type().Field(i); f.IsExported() && f.Name != "DeclarationList" {
				reveal(v.Field(i), words)
			}
		}
	case reflect.String:
		if !v.CanSet() {
			return
		}
		if v.Type() == textType {
			v.SetString(string(revealed(unistring.String(v.String()), words)))
		} else if was := v.String(); was != "" {
			v.SetString(words.Replace(was))
		}
	}
}

// revealed is a text of goja's with the words in it: its letters may be halves of pairs, which Go's
// texts can't hold.
func revealed(s unistring.String, words *strings.Replacer) unistring.String {
	units := s.AsUtf16()
	if units == nil {
		return unistring.String(words.Replace(string(s)))
	}
	// The names are ASCII, and so are not in the way of what isn't.
	var out []uint16
	plain := make([]byte, 0, len(units))
	flush := func() {
		out = append(out, utf16.Encode([]rune(words.Replace(string(plain))))...)
		plain = plain[:0]
	}
	out = append(out, unistring.BOM)
	for i, u := range units[1:] {
		if u < 0x80 {
			plain = append(plain, byte(u))
			continue
		}
		flush()
		if low := i + 2; low < len(units) { // the last character
			if r := utf16.DecodeRune(rune(u), rune(units[low])); words.Replace(string(r)) == lastCharacter {
				units[low] = lowOfLast
			}
		}
		out = append(out, u)
	}
	flush()
	return unistring.FromUtf16(out)
}
