package compile

import (
	"fmt"
	"strings"
)

const (
	// maxNesting is how deep brackets of all kinds may nest. esbuild's scopes cost time quadratic
	// in it (10,000 braces: 3 s and 1.1 GB, 500: 8 ms); code that people write stays below 50.
	maxNesting = 500
	// maxPrefixRun is how many prefix operators may follow each other: esbuild recurses for each.
	maxPrefixRun = 500
)

// checkLimits refuses, with a place, what would be expensive to parse. It tells code from strings
// and comments but knows nothing of regular expressions, so it can be fooled: it is a clear message
// for the honest, not the protection. That is the child process.
func checkLimits(s Source, maxBytes int) error {
	if len(s.Text) > maxBytes {
		return &Error{File: s.Name, Message: fmt.Sprintf("the text is %d bytes long; the limit is %d", len(s.Text), maxBytes)}
	}
	depth, prefix := 0, 0
	for i := 0; i < len(s.Text); i++ {
		switch c := s.Text[i]; c {
		case '"', '\'', '`':
			i = skipString(s.Text, i)
		case '\\': // only in a regular expression
			i++
		case '/':
			i = skipComment(s.Text, i)
		case '{', '(', '[':
			depth++
		case '}', ')', ']':
			depth = max(0, depth-1)
		}
		switch s.Text[min(i, len(s.Text)-1)] {
		case '!', '~', '+', '-':
			prefix++
		case ' ', '\t', '\r', '\n':
		default:
			prefix = 0
		}
		if depth > maxNesting {
			return errorAt(s, i, fmt.Sprintf("brackets nest deeper than %d", maxNesting))
		}
		if prefix > maxPrefixRun {
			return errorAt(s, i, fmt.Sprintf("more than %d operators in a row", maxPrefixRun))
		}
	}
	return nil
}

// skipString gives the index of the quote that closes the one at i; i itself if it closes nowhere,
// because then it was part of a regular expression.
func skipString(text string, i int) int {
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			j++
		case text[i]:
			return j
		case '\n':
			if text[i] != '`' {
				return i
			}
		}
	}
	return i
}

// skipComment gives the index of the last byte of the comment that starts at i; i itself if none
// does.
func skipComment(text string, i int) int {
	rest := text[i:]
	var end int
	switch {
	case strings.HasPrefix(rest, "//"):
		end = strings.IndexByte(rest, '\n')
	case strings.HasPrefix(rest, "/*"):
		if end = strings.Index(rest[2:], "*/"); end >= 0 {
			end += 3
		}
	default:
		return i
	}
	if end < 0 {
		return len(text) - 1
	}
	return i + end
}

// errorAt makes an error at a byte of the text.
func errorAt(s Source, i int, message string) error {
	before := s.Text[:i]
	return &Error{
		File:    s.Name,
		Line:    strings.Count(before, "\n") + 1,
		Column:  i - strings.LastIndexByte(before, '\n'),
		Message: message,
	}
}
