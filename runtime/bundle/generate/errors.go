package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// decorated is how the package declares its errors. esbuild keeps every decorated class, because a
// decorator may do anything; this one only marks the class for instanceof.
var decorated = regexp.MustCompile(`(?s)@SymbolBasedInstanceOfError\('(\w+)'\)\nexport class \w+ (extends \w+ \{(?:\}|.*?\n\}))`)

// declaredFailure has a failure own its field as upstream's compiler has it, for executions that
// began since.
var declaredFailure = []change{
	{"import type { temporal } from", "import { declaresFailure } from 'failure-key';\nimport type { temporal } from"},
	{"    super(message ?? undefined);\n", "    super(message ?? undefined);\n    if (declaresFailure()) this.failure = undefined;\n"},
}

// shakeErrors has esbuild drop the errors that a bundle doesn't use: making and marking a class
// takes goja 20 µs, and activities need six of seventeen. The name comes from a property, because
// esbuild would change it if it were declared twice.
func shakeErrors(b api.PluginBuild) {
	b.OnLoad(api.OnLoadOptions{Filter: `@temporalio/common/src/(errors|failure)\.ts$`}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		text, err := os.ReadFile(a.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		text = decorated.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")),
			[]byte("export const $1 = /* @__PURE__ */ (() => { const made = { $1: class $2 }; SymbolBasedInstanceOfError('$1')(made.$1); return made.$1; })();"))
		contents, err := string(text), error(nil)
		if strings.HasSuffix(a.Path, "failure.ts") {
			contents, err = changed(contents, declaredFailure)
		}
		return api.OnLoadResult{Contents: &contents, Loader: api.LoaderTS}, err
	})
}
