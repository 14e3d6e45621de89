package compile

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokens splits TypeScript into words, texts in quotes and single other characters, as far as it
// takes to find declarations. It gives where each begins, and leaves out comments, templates and
// regular expressions; where it takes a division for one of those, something isn't found.
func tokens(text string) (out []string, at []int) {
	add := func(token string, i int) { out, at = append(out, token), append(at, i) }
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"' || c == '\'':
			end := skipString(text, i)
			add(text[i:end+1], i)
			i = end + 1
		case c == '`':
			add("``", i)
			i = skipTemplate(text, i)
		case c == '/':
			if end := skipComment(text, i); end > i {
				i = end + 1
				continue
			}
			if end := skipRegExp(text, i); end > i && !endsOperand(out) {
				add("//", i)
				i = end + 1
				continue
			}
			add("/", i)
			i++
		case isWordByte(c):
			end := i
			for end < len(text) {
				r, size := utf8.DecodeRuneInString(text[end:])
				if r >= utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) || r < utf8.RuneSelf && !isWordByte(byte(r)) {
					break
				}
				end += size
			}
			end = max(end, i+1)
			add(text[i:end], i)
			i = end
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
		default:
			add(text[i:i+1], i)
			i++
		}
	}
	return out, at
}

func isWordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

// skipTemplate gives the index after the template that starts at i, whatever is in it.
func skipTemplate(text string, i int) int {
	for j := i + 1; j < len(text); j++ {
		switch {
		case text[j] == '\\':
			j++
		case text[j] == '`':
			return j + 1
		case text[j] == '$' && strings.HasPrefix(text[j:], "${"):
			depth := 1
			for j += 2; j < len(text) && depth > 0; j++ {
				switch text[j] {
				case '{':
					depth++
				case '}':
					depth--
				case '"', '\'':
					j = skipString(text, j)
				case '`':
					j = skipTemplate(text, j) - 1
				}
			}
			j--
		}
	}
	return len(text)
}

// skipRegExp gives the index of the slash that ends the regular expression that starts at i; i if
// none does in its line.
func skipRegExp(text string, i int) int {
	class := false
	for j := i + 1; j < len(text) && text[j] != '\n'; j++ {
		switch text[j] {
		case '\\':
			j++
		case '[':
			class = true
		case ']':
			class = false
		case '/':
			if !class {
				return j
			}
		}
	}
	return i
}

// endsOperand tells whether a slash behind the tokens divides.
func endsOperand(before []string) bool {
	if len(before) == 0 {
		return false
	}
	switch last := before[len(before)-1]; last {
	case ")", "]", "}", "``", "//":
		return true
	case "return", "typeof", "case", "in", "of", "do", "else", "void", "delete", "instanceof", "new", "throw", "await", "yield":
		return false
	default:
		return isWordByte(last[0]) || last[0] == '"' || last[0] == '\''
	}
}
