package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// change is one of a package's text, which must be there exactly once: where a new version has it
// otherwise, the bundle isn't made.
type change struct{ old, new string }

// The activator and the root scope are made for each execution, and waited with: what most never
// need is made when it is first asked for, or shared. See ts/workflow/spare.ts.
var (
	// sparedFields of the activator have a value there that all executions begin with, or a getter.
	sparedFields = []string{
		"moduleCache", "completions", "bufferedUpdates", "bufferedSignals", "updateHandlers", "inProgressUpdates", "inProgressSignals",
		"signalHandlerExecutionSeq", "promiseStackStore", "failureExceptionTypeNames",
		"rethrowSynchronously", "queryHandlers", "interceptors", "completed", "cancelled", "namedRandomStreams", "payloadConverter",
		"failureConverter", "knownPresentPatches", "sentPatches", "patchDecisions", "knownFlags", "sinkCalls", "currentDetails",
	}
	sparedInternals = []change{
		{"  public readonly workflowSandboxDestructors: (() => void)[] = [];\n", "  declare workflowSandboxDestructors: any;\n"},
		{"  public workflowDefinitionFailureExceptionTypes: Array<new (...args: any[]) => Error> | undefined = undefined;\n", "  declare workflowDefinitionFailureExceptionTypes: any;\n"},
		{"    this.getTimeOfDay = getTimeOfDay;\n", ""},
		{"    this.showStackTraceSources = showStackTraceSources;\n    this.sourceMap = sourceMap;\n    this.randomnessSeed = [...randomnessSeed];\n    this.random = alea(this.randomnessSeed);\n    this.registeredActivityNames = registeredActivityNames;\n    this.stackTracesEnabled = stackTracesEnabled;\n    this.failureExceptionTypeNames = failureExceptionTypeNames ?? [];\n    this.patchActivationCallback = patchActivationCallback;\n", ""},
	}
	sparedScope = []change{
		{"import { CancelledFailure", "import { unseen } from 'unseen';\nimport { CancelledFailure"},
		{"  public readonly cancelRequested: Promise<never>;\n", `
  public get cancelRequested(): Promise<never> {
    if (!this.#requested) {
      this.#requested = unseen.handled(new Promise((_, reject) => { this.#refuse = unseen.function(reject); }));
      if (this.#refused) this.#refuse!(this.#refused.reason);
    }
    return this.#requested;
  }
  // Made when somebody asks for it: most executions wait without.
  #requested?: Promise<never>;
  #refuse?: (reason: unknown) => void;
  #refused?: { reason: unknown };
`},
		{"  protected readonly reject: (reason?: any) => void;\n", `  protected reject(reason?: any): void {
    this.#cancelRequested = true;
    if (this.#refused) return;
    this.#refused = { reason };
    this.#refuse?.(reason);
  }
`},
		{"    this.cancelRequested = new Promise((_, reject) => {\n      // @ts-expect-error TSC doesn't understand that the Promise executor runs synchronously\n      this.reject = (err) => {\n        this.#cancelRequested = true;\n        reject(err);\n      };\n    });\n    untrackPromise(this.cancelRequested);\n    // Avoid unhandled rejections\n    untrackPromise(this.cancelRequested.catch(() => undefined));\n", ""},
	}
)

// spareExecutions changes what the package makes for each execution.
func spareExecutions(b api.PluginBuild) {
	load(b, `@temporalio/workflow/src/cancellation-scope\.ts$`, func(text string) (string, error) { return changed(text, sparedScope) })
	load(b, `@temporalio/workflow/src/workflow\.ts$`, unseenPromises)
	load(b, `@temporalio/workflow/src/internals\.ts$`, func(text string) (string, error) {
		for _, name := range sparedFields {
			field := regexp.MustCompile(`(?m)^  (?:(?:public|protected|private|readonly) )*` + name + `(?:: [^=\n]+)? = (?:[^\n]*;$|(?s:.*?)\n  [\]})]+;$)`)
			if n := len(field.FindAllString(text, -1)); n != 1 {
				return "", fmt.Errorf("the activator has %d fields %s", n, name)
			}
			text = field.ReplaceAllString(text, "  declare "+name+": any;")
		}
		return changed(text, sparedInternals)
	})
}

var (
	waitedFor = regexp.MustCompile(`new Promise(?:<\w+>)?\(\(resolve, reject\) => \{`)
	cancelled = regexp.MustCompile(`scope\.cancelRequested\.catch\(`)
)

// unseenPromises has what code waits for, but for Nexus operations, hold less.
func unseenPromises(text string) (string, error) {
	if n, m := len(waitedFor.FindAllString(text, -1)), len(cancelled.FindAllString(text, -1)); n != 8 || m != 13 {
		return "", fmt.Errorf("there are %d promises, and %d places that wait for a cancellation", n, m)
	}
	text = waitedFor.ReplaceAllString(text, "unseen.promise((resolve, reject) => {")
	text = cancelled.ReplaceAllString(text, "unseen.caught(scope.cancelRequested, ")
	return "import { unseen } from 'unseen';\n" + text, nil
}

func changed(text string, changes []change) (string, error) {
	for _, c := range changes {
		if n := strings.Count(text, c.old); n != 1 {
			return "", fmt.Errorf("%d places have %q", n, c.old)
		}
		text = strings.Replace(text, c.old, c.new, 1)
	}
	return text, nil
}

// load gives esbuild a module's changed text.
func load(b api.PluginBuild, filter string, change func(string) (string, error)) {
	b.OnLoad(api.OnLoadOptions{Filter: filter}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		text, err := os.ReadFile(a.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		contents, err := change(string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
		if err != nil {
			return api.OnLoadResult{}, fmt.Errorf("change %s: %w", a.Path, err)
		}
		loader := api.LoaderTS
		if filepath.Ext(a.Path) == ".js" {
			loader = api.LoaderJS
		}
		return api.OnLoadResult{Contents: &contents, Loader: loader}, nil
	})
}
