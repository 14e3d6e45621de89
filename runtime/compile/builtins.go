package compile

import (
	"strings"

	"workflow-worker/runtime/language/keywords"
)

// wantsOwnBuiltins finds the words by which code reaches what all objects inherit from, assigns a
// member of a builtin, or makes globals; Buffer, which puts itself in the place of Uint8Array's
// methods; and RegExp's own members, among them those that tell of the last match. Where one stands
// in a comment only, nothing is lost but time.
//
// It reads the text once, by hand: a regular expression takes as long as the rest of compiling.
func wantsOwnBuiltins(text string) bool {
	brackets := brackets{text: text, next: -1}
	for i := 0; i < len(text); {
		if !keywords.IsWord(text[i]) {
			i++
			continue
		}
		end := afterWord(text, i)
		word := text[i:end]
		i = end
		switch word {
		case "prototype", "__proto__", "setPrototypeOf", "getPrototypeOf", "__defineGetter__", "__defineSetter__", "Buffer", "eval", "Function":
			return true
		}
		if word == "assign" || len(word) > len("define") && strings.HasPrefix(word, "define") {
			if namesBuiltin(text, end) {
				return true
			}
			continue
		}
		at := skipSpaces(text, end)
		if at == len(text) || text[at] != '.' && text[at] != '[' || !isBuiltin(word) {
			continue
		}
		if word == "RegExp" || text[at] == '[' && brackets.assigned(at) || text[at] == '.' && assignsMember(text, at+1) {
			return true
		}
	}
	return false
}

// brackets remembers the next "]" of a text: one that is far away isn't looked for at each "[".
type brackets struct {
	text string
	next int
	is   bool // assigned, what ends there
}

// assigned tells whether what the next "]" from at ends is assigned.
func (b *brackets) assigned(at int) bool {
	if b.next < at {
		b.next, b.is = len(b.text), false
		if n := strings.IndexByte(b.text[at:], ']'); n >= 0 {
			b.next = at + n
			b.is = isAssignment(b.text, b.next+1)
		}
	}
	return b.is
}

// assignsMember tells whether a name follows, and is assigned.
func assignsMember(text string, at int) bool {
	at = skipSpaces(text, at)
	end := afterWord(text, at)
	return end > at && isAssignment(text, end)
}

// afterWord gives the index of the first byte from at that no word has.
func afterWord(text string, at int) int {
	for at < len(text) && keywords.IsWord(text[at]) {
		at++
	}
	return at
}

// skipSpaces gives the index of the first byte from at that regular expressions don't call \s.
func skipSpaces(text string, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] >= '\t' && text[at] <= '\r' && text[at] != '\v') {
		at++
	}
	return at
}

// isBuiltin tells what assigning a member of changes for all code.
func isBuiltin(word string) bool {
	switch word {
	case "globalThis", "global", "self", "Reflect", "Intl", "Math", "JSON", "Atomics", "Object", "Array", "String", "Number", "Boolean", "BigInt",
		"Symbol", "Date", "RegExp", "Promise", "Proxy", "Map", "Set", "WeakMap", "WeakSet", "WeakRef", "ArrayBuffer", "DataView", "Iterator":
		return true
	}
	return strings.HasSuffix(word, "Error") || len(word) > len("Array") && strings.HasSuffix(word, "Array")
}

// isAssignment tells whether an operator that assigns follows.
func isAssignment(text string, at int) bool {
	rest := text[skipSpaces(text, at):]
	for _, operator := range []string{"**", "<<", ">>>", ">>", "&&", "||", "??"} {
		if after, ok := strings.CutPrefix(rest, operator); ok {
			return isAlone(after)
		}
	}
	if rest != "" && strings.IndexByte("-+*/%&|^?", rest[0]) >= 0 {
		rest = rest[1:]
	}
	return isAlone(rest)
}

// isAlone tells "=" from "==" and "=>".
func isAlone(rest string) bool {
	return len(rest) > 1 && rest[0] == '=' && rest[1] != '=' && rest[1] != '>'
}

// namesBuiltin tells whether a call follows whose first argument begins as a builtin's name.
func namesBuiltin(text string, at int) bool {
	at = skipSpaces(text, at)
	if at == len(text) || text[at] != '(' {
		return false
	}
	at = skipSpaces(text, at+1)
	if at == len(text) || text[at] < 'A' || text[at] > 'Z' {
		return false
	}
	at = skipSpaces(text, afterWord(text, at))
	return at < len(text) && (text[at] == ',' || text[at] == '.')
}

// takesMore reports imports of other modules than Temporal's: those of Node change what builtins
// they inherit from.
func (f *found) takesMore() bool {
	for _, im := range f.imports {
		if !strings.HasPrefix(im.Module, "@temporalio/") {
			return true
		}
	}
	return false
}
