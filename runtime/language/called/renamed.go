package called

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/unistring"
)

// renamedMark begins the comment of a program's text that says which of its names are other ones in
// the author's text: the compiler gives a name that hides another a number.
const renamedMark = "\n//# renamed="

// Renamed is that comment, for the author's names by their offsets; "" if there are none.
func Renamed(names map[int]string) string {
	if len(names) == 0 {
		return ""
	}
	list := make([]string, 0, len(names))
	for at, name := range names {
		list = append(list, fmt.Sprintf("%d:%s", at, name))
	}
	slices.Sort(list)
	return renamedMark + strings.Join(list, ",")
}

// Names are the author's names in a program's text, by their offsets.
func Names(text string) map[int]string {
	at := strings.LastIndex(text, renamedMark)
	if at < 0 {
		return nil
	}
	line, _, _ := strings.Cut(text[at+len(renamedMark):], "\n")
	names := map[int]string{}
	for item := range strings.SplitSeq(line, ",") {
		number, name, _ := strings.Cut(item, ":")
		if at, err := strconv.Atoi(number); err == nil {
			names[at] = name
		}
	}
	return names
}

// restore gives a tree the author's names.
func restore(v reflect.Value, names map[int]string) {
	each(v, func(node any) {
		if id, ok := node.(*ast.Identifier); ok {
			if name, ok := names[offset(id.Idx)]; ok {
				id.Name = unistring.NewFromString(name)
			}
		}
	})
}
