package compile

import (
	"regexp"
	"strings"
)

// changesBuiltins are the words by which code reaches what all objects inherit from, assigns a
// member of a builtin, or makes globals; Buffer, which puts itself in the place of Uint8Array's
// methods; and RegExp's own members, among them those that tell of the last match. Where one stands
// in a comment only, nothing is lost but time.
var changesBuiltins = regexp.MustCompile(`\b(?:prototype|__proto__|setPrototypeOf|getPrototypeOf|__define[GS]etter__|Buffer|eval|Function)\b` +
	`|\b(?:globalThis|global|self|Reflect|Intl|Math|JSON|Atomics|Object|Array|String|Number|Boolean|BigInt|Symbol|Date|RegExp|Promise|Proxy|Map|Set|WeakMap|WeakSet|WeakRef|\w*Error|\w+Array|ArrayBuffer|DataView|Iterator)` +
	`\s*(?:\.\s*\w+|\[[^\]]*\])\s*(?:[-+*/%&|^?]|\*\*|<<|>>|>>>|&&|\|\||\?\?)?=[^=>]` +
	`|\bRegExp\s*[.\[]` +
	`|\b(?:assign|define\w+)\s*\(\s*[A-Z]\w*\s*[,.]`)

func wantsOwnBuiltins(text string) bool { return changesBuiltins.MatchString(text) }

// takesMore reports imports of other modules than Temporal's: those of Node change what builtins
// they inherit from.
func (f *found) takesMore() bool {
	for _, im := range f.imports {
		if !strings.HasPrefix(im.module, "@temporalio/") {
			return true
		}
	}
	return false
}
