package compile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language/operators"
)

// folder writes files below a folder of its own, which it gives: of "modules" if there are such
// files.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func withModules(t testing.TB, dir string) *Compiler {
	t.Helper()
	c := New(Config{Modules: dir})
	t.Cleanup(c.Close)
	return c
}

// withModulesApart bundles as the service does, in a child process.
func withModulesApart(t testing.TB, dir string) *Compiler {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{Command: []string{exe}, Modules: dir})
	t.Cleanup(c.Close)
	return c
}

// evaluate runs an activity's program and gives what its export "out" is, as text.
func evaluate(p *Program) (string, error) {
	r := goja.New()
	// What the sandbox has for what is spread into a call.
	for _, name := range []string{operators.Spread, operators.Items} {
		if err := r.Set(name, func(c goja.FunctionCall) goja.Value { return c.Argument(0) }); err != nil {
			return "", err
		}
	}
	call := func(f goja.Value, require any) (*goja.Object, error) {
		evaluate, ok := goja.AssertFunction(f)
		if !ok {
			return nil, errors.New("it is no function")
		}
		exports, module := r.NewObject(), r.NewObject()
		if err := module.Set("exports", exports); err != nil {
			return nil, err
		}
		_, err := evaluate(goja.Undefined(), r.ToValue(require), module, exports)
		return module.Get("exports").ToObject(r), err
	}
	var table *goja.Object
	require := func(name string) (goja.Value, error) {
		if table == nil {
			f, err := r.RunProgram(p.Packages.JS)
			if err != nil {
				return nil, err
			}
			if table, err = call(f, func(name string) (goja.Value, error) { return nil, errors.New("nothing is " + name) }); err != nil {
				return nil, err
			}
		}
		load, ok := goja.AssertFunction(table.Get(name))
		if !ok {
			return nil, errors.New("no package is " + name)
		}
		return load(goja.Undefined())
	}
	js, err := p.JS()
	if err != nil {
		return "", err
	}
	f, err := r.RunProgram(js)
	if err != nil {
		return "", err
	}
	exports, err := call(f, require)
	if err != nil {
		return "", err
	}
	return exports.Get("out").String(), nil
}

func compileAndRun(t testing.TB, c *Compiler, text string) (string, error) {
	t.Helper()
	p, err := c.Compile(t.Context(), Source{Name: "pay.ts", Kind: Activity, Text: text})
	if err != nil {
		return "", err
	}
	return evaluate(p)
}

func TestPackagesAreFoundAsInNode(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"node_modules/cjs/package.json":              `{"main": "lib/main.js"}`,
		"node_modules/cjs/lib/main.js":               `module.exports = { hi: (n) => "hi " + n + require("dep").mark }`,
		"node_modules/cjs/node_modules/dep/index.js": `exports.mark = "!"`,
		"node_modules/dep/index.js":                  `exports.mark = "wrong"`,
		"node_modules/@a/esm/package.json":           `{"type": "module", "exports": {".": {"import": "./i.js", "require": "./r.cjs"}, "./sub": "./sub.js"}}`,
		"node_modules/@a/esm/i.js":                   `export default class Thing { static n = 1 } export const how = "import"`,
		"node_modules/@a/esm/r.cjs":                  `exports.how = "require"`,
		"node_modules/@a/esm/sub.js":                 `export const sub = 2`,
		"node_modules/web/package.json":              `{"main": "node.js", "browser": {"./node.js": "./web.js", "fs": false}}`,
		"node_modules/web/node.js":                   `module.exports = "node"`,
		"node_modules/web/web.js":                    `module.exports = "web" + Object.keys(require("fs")).length`,
		"plain/index.js":                             `exports.plain = "beside node_modules"`,
	})
	for text, want := range map[string]string{
		`import { hi } from 'cjs'; export const out = hi('you')`:                                                   "hi you!",
		`import cjs from 'cjs'; export const out = cjs.hi('you')`:                                                  "hi you!",
		`import Thing, { how } from '@a/esm'; export const out = Thing.n + how + Thing.name`:                       "1importThing",
		`import * as all from '@a/esm/sub'; export const out = JSON.stringify(all)`:                                `{"sub":2}`,
		`import web from 'web'; export const out = web`:                                                            "node",
		`import { plain } from 'plain'; export const out = plain`:                                                  "beside node_modules",
		`import type { T } from 'not-there'; import { type U } from 'nor-this'; export const out = 'types vanish'`: "types vanish",
	} {
		if got, err := compileAndRun(t, withModules(t, dir), text); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
	// The folder may be the node_modules itself.
	if got, err := compileAndRun(t, withModules(t, filepath.Join(dir, "node_modules")), `import { hi } from 'cjs'; export const out = hi('you')`); err != nil || got != "hi you!" {
		t.Errorf("node_modules itself: %q, %v", got, err)
	}
}

func TestAPackageThatCantBeHadIsAnErrorAtItsImport(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"node_modules/good/index.js":            `exports.x = 1`,
		"node_modules/half/index.js":            `exports.x = require("its-own-dependency")`,
		"node_modules/broken/index.js":          "\nexport const = 1",
		"node_modules/native/index.js":          `exports.x = require("./build/native.node")`,
		"node_modules/native/build/native.node": "\x7fELF",
		"node_modules/regexp/index.js":          "exports.x = 1;\n\nexports.y = /\\p{Nonsense}/u",
		"node_modules/remote/index.js":          `import "https://example.com/x.js"`,
	})
	for _, c := range []struct{ name, wants string }{
		{"left-pad", `there is no such npm package in the service's folder of packages; ask the operator to add it to MODULES_DIR (npm install left-pad)`},
		{"good/missing", "(npm install good)"},
		{"half", `the npm package half can't be used: Could not resolve "its-own-dependency" (half/index.js:1)`},
		{"broken", "(broken/index.js:2)"},
		{"native", "native/build/native.node is machine code"},
		{"remote", "the npm package remote can't be used: it imports the address \"https://example.com/x.js\""},
		{"regexp", `the npm package regexp can't be used: Invalid regular expression: /\p{Nonsense}/u: Invalid property name (regexp/index.js:3)`},
		{"./good", "types (import type"},
		{"../good", "can't import"},
		{"/etc/passwd", "files and addresses can't be imported"},
		{"file:///etc/passwd", "files and addresses can't be imported"},
		{"https://example.com/x.js", "files and addresses can't be imported"},
		{"data:text/javascript,export default 1", "can't import"},
		{"good/../../../etc/passwd", "can't import"},
		{"@temporalio/worker", "can't import"},
		{"node:fs", "there are no files"},
		{"http", "use fetch"},
	} {
		text := "import { x } from 'good';\n  import " + "y from " + `"` + c.name + `"` + ";\nexport const out = [x, y]"
		_, err := withModules(t, dir).Compile(t.Context(), Source{Name: "pay.ts", Kind: Activity, Text: text})
		var e *Error
		if !errors.As(err, &e) || e.File != "pay.ts" || !strings.Contains(e.Message, c.wants) || strings.Contains(e.Message, dir) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.wants)
			continue
		}
		if e.Line != 2 {
			t.Errorf("%s: at %d:%d, want line 2", c.name, e.Line, e.Column)
		}
	}
	_, err := compiler(t, true).Compile(t.Context(), workflow("import _ from 'lodash';\nexport const w = () => _"))
	if err == nil || !strings.Contains(err.Error(), "order-intake.ts:1:") || !strings.Contains(err.Error(), "MODULES_DIR") {
		t.Errorf("without a folder: %v", err)
	}
}

func TestNothingOutsideTheFolderIsRead(t *testing.T) {
	t.Parallel()
	outside := folder(t, map[string]string{
		"node_modules/above/index.js":               `exports.x = "SECRET"`,
		"secret/package.json":                       `{"main": "index.js"}`,
		"secret/index.js":                           `module.exports = "SECRET"`,
		"secret.json":                               `"SECRET"`,
		"tsconfig.json":                             `{"compilerOptions": {"paths": {"mapped": ["./secret.json"]}}}`,
		"modules/tsconfig.json":                     `{"compilerOptions": {"baseUrl": "..", "paths": {"mapped": ["./secret.json"]}}}`,
		"modules/node_modules/main/package.json":    `{"main": "../../../secret.json"}`,
		"modules/node_modules/exports/package.json": `{"exports": "./../../../secret.json"}`,
		"modules/node_modules/browser/package.json": `{"main": "index.js", "browser": {"./index.js": "../../../secret.json"}}`,
		"modules/node_modules/browser/index.js":     `module.exports = require("net")`, // so that the other is taken
		"modules/node_modules/dots/index.js":        `module.exports = require("../../../secret.json")`,
		"modules/node_modules/climbs/index.js":      `module.exports = require("above")`,
		"modules/node_modules/data/index.js":        `module.exports = require("./notes.txt")`,
		"modules/node_modules/data/notes.txt":       `SECRET`,
	})
	modules := filepath.Join(outside, "modules")
	for link, to := range map[string]string{"linked": "../../secret", "linkedfile/index.js": "../../../secret/index.js", "absolute": filepath.Join(outside, "secret")} {
		path := filepath.Join(modules, "node_modules", link)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
	}
	absolute := filepath.Join(modules, "node_modules", "abs", "index.js")
	if err := os.MkdirAll(filepath.Dir(absolute), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(absolute, []byte(`module.exports = require("`+filepath.Join(outside, "secret.json")+`")`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"above", "main", "exports", "browser", "dots", "climbs", "data", "linked", "linkedfile", "absolute", "abs", "mapped", "secret"} {
		got, err := compileAndRun(t, withModules(t, modules), `import * as x from '`+name+`'; export const out = JSON.stringify(x)`)
		if err == nil {
			t.Errorf("%s gave %s", name, got)
		} else if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A link within the folder is as pnpm lays packages out, and the folder itself may be a link.
	if err := os.Symlink("dots", filepath.Join(modules, "node_modules", "within")); err != nil {
		t.Fatal(err)
	}
	inside := folder(t, map[string]string{"store/pkg/index.js": `module.exports = "fine"`, "node_modules/.keep": ""})
	if err := os.Symlink("../store/pkg", filepath.Join(inside, "node_modules", "pkg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(inside, filepath.Join(outside, "current")); err != nil {
		t.Fatal(err)
	}
	if got, err := compileAndRun(t, withModules(t, filepath.Join(outside, "current")), `import x from 'pkg'; export const out = x`); err != nil || got != "fine" {
		t.Errorf("a link within the folder: %q, %v", got, err)
	}
}

// bundleCounter counts bundles on their way to the child processes.
type bundleCounter struct {
	transformer
	mu    sync.Mutex // guards asked
	asked int
}

func (b *bundleCounter) bundle(ctx context.Context, q bundleRequest) (bundled, error) {
	b.mu.Lock()
	b.asked++
	b.mu.Unlock()
	return b.transformer.bundle(ctx, q)
}

func TestPackagesAreBundledOnceForAllThatImportThem(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"node_modules/a/index.js": `exports.x = "a1"`, "node_modules/b/index.js": `exports.x = "b"`,
	})
	c := withModulesApart(t, dir)
	counter := &bundleCounter{transformer: c.tr}
	c.tr = counter
	text := func(i int) Source {
		order := []string{"import { x } from 'a'; import * as b from 'b';", "import * as b from 'b'; import { x } from 'a'; import 'a';"}[i%2]
		return Source{Name: "pay.ts", Kind: Activity, Text: order + "export const out = x + " + strings.Repeat("'!' + ", i+1) + "b.x"}
	}
	var programs sync.Map
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			p, err := c.Compile(t.Context(), text(i))
			if err != nil {
				t.Error(err)
				return
			}
			programs.Store(i, p)
		})
	}
	all.Wait()
	first, _ := programs.Load(0)
	hashes := map[string]bool{}
	programs.Range(func(_, p any) bool {
		if p.(*Program).Packages != first.(*Program).Packages {
			t.Error("two programs of the same packages don't share them")
		}
		hashes[p.(*Program).Hash] = true
		return true
	})
	if counter.asked != 1 || len(hashes) != 6 {
		t.Errorf("bundled %d times for %d programs", counter.asked, len(hashes))
	}
	// Another package, and the other kind, are other bundles.
	for _, s := range []Source{
		{Name: "pay.ts", Kind: Activity, Text: "import { x } from 'a'; export const out = x"},
		{Name: "pay.ts", Kind: Workflow, Text: "import { x } from 'a'; import { x as b } from 'b'; export const out = x + b"},
	} {
		if _, err := c.Compile(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if counter.asked != 3 {
		t.Errorf("bundled %d times, want 3", counter.asked)
	}
}

func TestTheHashCoversThePackages(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"node_modules/a/index.js": `exports.x = "first"`, "node_modules/b/index.js": ``})
	s := Source{Name: "pay.ts", Kind: Activity, Text: "import { x } from 'a'; export const out = x"}
	compiled := func(c *Compiler, s Source) *Program {
		t.Helper()
		p, err := c.Compile(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	running := withModules(t, dir)
	before := compiled(running, s)
	if before.Hash == s.Hash() {
		t.Error("the packages are not in the hash")
	}
	plain := Source{Name: "pay.ts", Kind: Activity, Text: "export const out = 1"}
	if p := compiled(running, plain); p.Hash != plain.Hash() {
		t.Error("a program without packages has another hash than its text")
	}
	if err := os.WriteFile(filepath.Join(dir, "node_modules/b/index.js"), []byte("exports.y = 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p := compiled(withModules(t, dir), s); p.Hash != before.Hash {
		t.Error("a package that isn't imported changed the hash")
	}
	if err := os.WriteFile(filepath.Join(dir, "node_modules/a/index.js"), []byte(`exports.x = "second"`), 0o600); err != nil {
		t.Fatal(err)
	}
	// A running service stays with what it has; the next one finds the new.
	if p := compiled(running, Source{Name: "other.ts", Kind: Activity, Text: s.Text}); p.Packages != before.Packages {
		t.Error("the packages changed under a running service")
	}
	restarted := withModules(t, dir)
	if after := compiled(restarted, s); after.Hash == before.Hash {
		t.Error("another package didn't change the hash")
	} else if got, err := evaluate(after); err != nil || got != "second" {
		t.Errorf("got %q, %v", got, err)
	}
	// What was kept serves the text that was compiled with it, whatever the folder has.
	kept := before.Packages.StoredPackages
	for name, c := range map[string]*Compiler{"upgraded": restarted, "no folder": compiler(t, true)} {
		packages, err := c.LoadPackages(kept)
		if err != nil {
			t.Fatal(err)
		}
		with := s
		with.Packages = packages
		p := compiled(c, with)
		if got, err := evaluate(p); err != nil || got != "first" || p.Hash != before.Hash {
			t.Errorf("%s: got %q, %v, hash %s, want %s", name, got, err, p.Hash, before.Hash)
		}
	}
	kept.Code += "//"
	if _, err := compiler(t, false).LoadPackages(kept); err == nil {
		t.Error("a bundle that isn't what its hash says was loaded")
	}
}

func TestFramesOfPackagesAreNamedByTheirFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"node_modules/@a/deep/lib/fail.js":  "// a comment\n\n\nexport function fail() {\n  throw new Error('no')\n}\n",
		"node_modules/@a/deep/package.json": `{"exports": "./lib/fail.js"}`,
	})
	_, err := compileAndRun(t, withModules(t, dir), "import { fail } from '@a/deep';\nfunction mine() {\n  fail();\n}\nmine();\nexport const out = 1;")
	var ex *goja.Exception
	if !errors.As(err, &ex) {
		t.Fatal(err)
	}
	for _, frame := range []string{"fail (@a/deep/lib/fail.js:5:", "mine (pay.ts:3:"} {
		if !strings.Contains(ex.String(), frame) {
			t.Errorf("the stack has no %q: %s", frame, ex.String())
		}
	}
}

func TestPackagesOfOneNameKeepTheNamesOfTheirClasses(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"node_modules/a/package.json": `{"type": "module"}`, "node_modules/a/index.js": `export class APIError extends Error {}`,
		"node_modules/b/package.json": `{"type": "module"}`, "node_modules/b/index.js": `export class APIError extends Error {}`,
	})
	got, err := compileAndRun(t, withModules(t, dir), `import * as a from 'a'; import * as b from 'b'; export const out = a.APIError.name + b.APIError.name + (a.APIError === b.APIError)`)
	if err != nil || got != "APIErrorAPIErrorfalse" {
		t.Errorf("got %q, %v", got, err)
	}
}
