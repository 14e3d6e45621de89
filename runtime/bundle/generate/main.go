// Command generate builds the bundles of Temporal's TypeScript SDK from its npm packages: what
// `make bundle` runs.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"workflow-worker/runtime/bundle/npm"
)

// entry is one bundle: ts/<dir>/entry.ts becomes dist/<dir>.js.
type entry struct {
	dir string
	// replace are modules that the packages ask for and that ts/<dir> has its own of.
	replace map[string]string
}

const (
	// enumHelpers is how the packages' own modules ask for them, and theirs what asks for the real
	// ones.
	enumHelpers = `(?:\.|@temporalio/common/lib/internal-workflow)/enums-helpers`
	itself      = "enums-helpers-itself"
	failureKey  = "failure-key"
	theirs      = "../../node_modules/@temporalio/common/src/internal-workflow/enums-helpers.ts"
)

var entries = []entry{
	{
		dir: "workflow",
		replace: map[string]string{
			"long":                                "long.ts",
			"__temporal_custom_payload_converter": "payload_hook.js",
			"__temporal_custom_failure_converter": "failure_hook.js",
			`\./alea`:                             "alea.ts",
			`\./trigger`:                          "trigger.ts",
			"unseen":                              "unseen.ts",
			failureKey:                            "failure_key.ts",
			enumHelpers:                           "../enums.ts",
			itself:                                theirs,
			"ms":                                  "ms.ts",
			"ms-itself":                           "../../node_modules/ms/dist/index.mjs",
		},
	},
	// @temporalio/activity depends on @temporalio/client, and so on gRPC, for types alone:
	// package.json overrides that one.
	{
		dir: "activity",
		replace: map[string]string{
			"long":               "../workflow/long.ts",
			"node:async_hooks":   "async_hooks.ts",
			"@temporalio/common": "core.ts",
			failureKey:           "../failure_key.ts",
			enumHelpers:          "../enums.ts",
			itself:               theirs,
		},
	},
	{
		dir:     "common",
		replace: map[string]string{"long": "../workflow/long.ts", failureKey: "../failure_key.ts", enumHelpers: "../enums.ts", itself: theirs},
	},
	{dir: "buffer"},
	{dir: "harden"},
	{dir: "streams"},
	{
		dir:     "node",
		replace: map[string]string{"buffer": "buffer.cjs", "process/": "process.cjs", "abort-controller": "process.cjs"},
	},
}

func main() {
	dir := flag.String("dir", ".", "the folder of package.json")
	flag.Parse()
	if err := run(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1) //nolint:forbidigo // a program of its own, for go generate
	}
}

func run(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := npm.Install(context.Background(), dir); err != nil {
		return err
	}
	packages := map[string]bool{}
	for _, e := range entries {
		if err := e.build(dir, packages); err != nil {
			return fmt.Errorf("bundle %s: %w", e.dir, err)
		}
	}
	if err := npm.Write(filepath.Join(dir, "dist", npm.File), slices.Collect(maps.Keys(packages))); err != nil {
		return err
	}
	return writeProtocol(dir)
}

// build writes the bundle, and adds the folders of the packages that it took something from.
func (e entry) build(dir string, packages map[string]bool) error {
	r := api.Build(api.BuildOptions{
		AbsWorkingDir: dir,
		EntryPoints:   []string{filepath.Join("ts", e.dir, "entry.ts")},
		Bundle:        true,
		Write:         false,
		Metafile:      true,
		Format:        api.FormatCommonJS,
		Platform:      api.PlatformNeutral,
		MainFields:    []string{"module", "main"},
		Conditions:    []string{"import", "default"},
		// As runtime/compile does with the author's code.
		Target:      api.ESNext,
		Supported:   map[string]bool{"async-generator": false, "for-await": false, "using": false, "decorators": false},
		TreeShaking: api.TreeShakingTrue,
		// Names stay: failures take their type from a constructor's name.
		MinifyWhitespace: true,
		MinifySyntax:     true,
		LegalComments:    api.LegalCommentsNone,
		Charset:          api.CharsetUTF8,
		// Only declared in the source, for the type checker; tsc leaves it out of what it emits.
		Define:      map[string]string{"rawPayloadTypeBrand": `"__rawPayloadTypeBrand"`},
		TsconfigRaw: `{"compilerOptions":{"useDefineForClassFields":false,"experimentalDecorators":true}}`,
		LogLevel:    api.LogLevelWarning,
		Plugins: []api.Plugin{{Name: "sources", Setup: func(b api.PluginBuild) {
			e.resolve(b, dir)
			shakeErrors(b)
			spareExecutions(b)
			seeThrough(b)
		}}},
	})
	if len(r.Errors) > 0 {
		return errors.New(r.Errors[0].Text)
	}
	if len(r.OutputFiles) != 1 {
		return fmt.Errorf("esbuild wrote %d files", len(r.OutputFiles))
	}
	if err := contributed(r.Metafile, dir, packages); err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteString("(function(__host,module,exports){")
	out.Write(bytes.TrimSpace(r.OutputFiles[0].Contents))
	out.WriteString("\n})\n")
	path := filepath.Join(dir, "dist", e.dir+".js")
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: %d KB\n", path, out.Len()>>10)
	return nil
}

// contributed reads of esbuild which packages something is left of.
func contributed(metafile, dir string, packages map[string]bool) error {
	var meta struct {
		Outputs map[string]struct {
			Inputs map[string]struct{ BytesInOutput int }
		}
	}
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return fmt.Errorf("read what esbuild bundled: %w", err)
	}
	for _, out := range meta.Outputs {
		for path, in := range out.Inputs {
			const modules = "node_modules/"
			at := strings.LastIndex(path, modules)
			if at < 0 || in.BytesInOutput == 0 {
				continue
			}
			parts := strings.Split(path[at+len(modules):], "/")
			name := parts[0]
			if strings.HasPrefix(name, "@") {
				name += "/" + parts[1]
			}
			packages[filepath.Join(dir, path[:at+len(modules)], name)] = true
		}
	}
	return nil
}

// resolve leads Temporal's own packages to their TypeScript sources: as modules, unlike the
// CommonJS that npm carries beside them, they can be tree-shaken.
func (e entry) resolve(b api.PluginBuild, dir string) {
	own := func(file string) string { return filepath.Join(dir, "ts", e.dir, file) }
	for module, file := range e.replace {
		b.OnResolve(api.OnResolveOptions{Filter: "^" + module + "$"}, func(api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: own(file)}, nil
		})
	}
	b.OnResolve(api.OnResolveOptions{Filter: `^@temporalio/`}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		parts := strings.SplitN(a.Path, "/", 3)
		source := filepath.Join(dir, "node_modules", parts[0], parts[1], "src")
		within := "index"
		if len(parts) == 3 {
			within = strings.TrimSuffix(strings.TrimPrefix(parts[2], "lib/"), ".js")
		}
		for _, end := range []string{".ts", "/index.ts"} {
			if path := filepath.Join(source, within+end); exists(path) {
				return api.OnResolveResult{Path: path, SideEffects: api.SideEffectsFalse}, nil
			}
		}
		return api.OnResolveResult{}, fmt.Errorf("%s has no source for %q", parts[0]+"/"+parts[1], within)
	})
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
