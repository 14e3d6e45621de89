// Package term styles what `make dev` and its like show a person.
package term

import "os"

// Bold is for what to copy or to look at first.
func Bold(s string) string { return styled("1", s) }

// Faint is for what explains, and may be skipped.
func Faint(s string) string { return styled("2", s) }

// styled leaves text alone that goes into a file or a pipe.
func styled(code, s string) string {
	info, err := os.Stdout.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("NO_COLOR") != "" || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
