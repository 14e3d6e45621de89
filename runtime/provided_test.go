package runtime

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow"
)

var update = flag.Bool("update", false, "write what code finds to compile/provided.json")

// found is compile/provided.json.
type found struct {
	Workflow compile.Provided `json:"workflow"`
	Activity compile.Provided `json:"activity"`
	Types    []string         `json:"types"`
}

const providedFile = "compile/provided.json"

// The compiler knows by a list what modules have and which globals there are. This makes the list
// and sees that it is true.
func TestTheCompilerKnowsWhatCodeFinds(t *testing.T) {
	have := found{Workflow: finds(t, compile.Workflow), Activity: finds(t, compile.Activity)}
	text, err := os.ReadFile(providedFile)
	if err != nil {
		t.Fatal(err)
	}
	var known found
	if err := json.Unmarshal(text, &known); err != nil {
		t.Fatal(err)
	}
	have.Types = known.Types
	if *update {
		have.Types = typesOfTemporal(t, have)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	if err := e.Encode(have); err != nil {
		t.Fatal(err)
	}
	// A line for each list.
	compact := regexp.MustCompile(`(?s)\[[^\]]*\]`).ReplaceAllFunc(out.Bytes(), func(list []byte) []byte {
		return regexp.MustCompile(`\s+`).ReplaceAll(list, nil)
	})
	if *update {
		if err := os.WriteFile(providedFile, compact, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(compact, text) {
		t.Errorf("%s isn't what there is: run `go test ./runtime -run %s -update`", providedFile, t.Name())
	}
	for name, list := range map[string][]string{"the workflow's globals": known.Workflow.Globals, "the types": known.Types,
		"@temporalio/workflow": known.Workflow.Modules["@temporalio/workflow"], "crypto": known.Activity.Modules["crypto"]} {
		if len(list) < 30 {
			t.Errorf("%s: %v", name, list)
		}
	}
}

// nodeGlobals are what Node has, and browsers: not every global shows itself before it is used.
const nodeGlobals = `
AbortController AbortSignal AggregateError Array ArrayBuffer AsyncDisposableStack AsyncLocalStorage Atomics
BigInt BigInt64Array BigUint64Array Blob Boolean BroadcastChannel Buffer ByteLengthQueuingStrategy CloseEvent
CompressionStream CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DataView Date
DecompressionStream DisposableStack Error EvalError Event EventSource EventTarget File FileReader
FinalizationRegistry Float16Array Float32Array Float64Array FormData Function Headers Infinity Int16Array
Int32Array Int8Array Intl Iterator JSON Map Math MessageChannel MessageEvent MessagePort NaN Number Object
Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver
PerformanceObserverEntryList PerformanceResourceTiming Promise Proxy RangeError ReadableByteStreamController
ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController
ReadableStreamDefaultReader ReferenceError Reflect RegExp Request Response Set SharedArrayBuffer String
SubtleCrypto SuppressedError Symbol SyntaxError Temporal TextDecoder TextDecoderStream TextEncoder
TextEncoderStream TransformStream TransformStreamDefaultController TypeError URIError URL URLSearchParams
Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly WebSocket Worker
WritableStream WritableStreamDefaultController WritableStreamDefaultWriter XMLHttpRequest __dirname __filename
assert async_hooks atob btoa buffer child_process clearImmediate clearInterval clearTimeout cluster console
constants crypto decodeURI decodeURIComponent dgram diagnostics_channel dns domain encodeURI encodeURIComponent
escape eval events exports fetch fs gc global globalThis http http2 https inspector isFinite isNaN localStorage
module navigator net os parseFloat parseInt path perf_hooks performance process punycode querystring
queueMicrotask readline repl require self sessionStorage setImmediate setInterval setTimeout stream
string_decoder structuredClone sys timers tls trace_events tty undefined unescape url util v8 vm wasi window
worker_threads zlib`

// finds evaluates code that exports a function for each name.
func finds(t *testing.T, k compile.Kind) compile.Provided {
	t.Helper()
	modules := append(k.Modules(), k.NodeModules()...)
	if k == compile.Workflow {
		for _, deep := range []string{"encoding", "errors", "failure", "interfaces", "search-attributes", "time", "type-helpers", "workflow-options", "converter/payload-converter"} {
			modules = append(modules, "@temporalio/common/lib/"+deep)
		}
	}
	list, _ := json.Marshal(modules)
	globals, _ := json.Marshal(strings.Fields(nodeGlobals))
	text := `
const names = (o) => {
	const all = new Set();
	for (let p = o; p && p !== Object.prototype && p !== Function.prototype; p = Object.getPrototypeOf(p)) for (const n of Object.getOwnPropertyNames(p)) all.add(n);
	if (o !== globalThis && !o.__esModule) all.add('default');
	return [...all].filter((n) => n !== '__esModule');
};
const load = require;
for (const n of new Set([...names(globalThis), ...` + string(globals) + `.filter((n) => n in globalThis)])) if (/^[\w$]+$/.test(n)) exports['|' + n] = () => {};
for (const m of ` + string(list) + `) for (const n of names(load(m))) exports[m + '|' + n] = () => {};`
	c := compile.New(compile.Config{})
	t.Cleanup(c.Close)
	p, err := c.Compile(t.Context(), compile.Source{Name: "finds.ts", Kind: k, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	var functions []string
	if k == compile.Workflow {
		code := workflow.NewCode(p, workflow.CodeOptions{})
		t.Cleanup(code.Close)
		contents, err := code.Check(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		functions = contents.Functions
	} else {
		code := activity.NewCode(p, activity.CodeOptions{})
		t.Cleanup(code.Close)
		if functions, err = code.Check(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	out := compile.Provided{Modules: map[string][]string{}}
	slices.Sort(functions)
	for _, f := range functions {
		module, name, _ := strings.Cut(f, "|")
		if module == "" {
			out.Globals = append(out.Globals, name)
		} else {
			out.Modules[module] = append(out.Modules[module], name)
		}
	}
	for _, m := range modules {
		if len(out.Modules[m]) == 0 {
			t.Errorf("%s code finds nothing in %s", k, m)
		}
	}
	return out
}

// typesOfTemporal gives the names that the packages export as types and never as values.
func typesOfTemporal(t *testing.T, have found) []string {
	t.Helper()
	values := map[string]bool{}
	for _, p := range []compile.Provided{have.Workflow, have.Activity} {
		for _, list := range p.Modules {
			for _, n := range list {
				values[n] = true
			}
		}
	}
	declared := regexp.MustCompile(`(?m)^\s*export\s+(?:declare\s+)?(?:interface|type|abstract class|class|const enum|enum|namespace)\s+(\w+)`)
	comments := regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`) // which may have brackets
	listed := regexp.MustCompile(`(?s)export\s+(?:type\s+)?\{([^}]*)\}`)
	var out []string
	for _, folder := range []string{"@temporalio/workflow/src", "@temporalio/common/src", "@temporalio/activity/src", "nexus-rpc"} {
		err := filepath.WalkDir(filepath.Join("bundle/node_modules", folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".ts") {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = comments.ReplaceAll(text, nil)
			for _, m := range declared.FindAllSubmatch(text, -1) {
				out = append(out, string(m[1]))
			}
			for _, m := range listed.FindAllSubmatch(text, -1) {
				for _, item := range strings.Split(string(m[1]), ",") {
					words := strings.Fields(item)
					if n := len(words); n > 0 && regexp.MustCompile(`^\w+$`).MatchString(words[n-1]) {
						out = append(out, words[n-1])
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(n string) bool { return values[n] })
}
