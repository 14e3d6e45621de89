package builtins

import (
	"regexp"
	"strings"
)

var (
	yearAndThree = regexp.MustCompile(`^(\d{4})-0(0[1-9]|1[0-2])$`)
	badMonth     = regexp.MustCompile(`^\d{4}-\d{3}$`)
	withTime     = regexp.MustCompile(`^(?:\d{4}|[+-]\d{6})-\d\d-\d\d[tT]\d`)
	halfOffset   = regexp.MustCompile(`[+-]\d\d$`)
)

// formerText is a date's text as goja was given it before dates were read as V8 reads them: see
// ChangeDate.
func formerText(text string) string {
	switch {
	case yearAndThree.MatchString(text):
		return yearAndThree.ReplaceAllString(text, "$1-$2")
	case badMonth.MatchString(text):
		return "no date"
	case !withTime.MatchString(text):
		return text
	case strings.Contains(text, ",") || halfOffset.MatchString(text):
		return "no date"
	}
	return strings.ToUpper(text)
}
