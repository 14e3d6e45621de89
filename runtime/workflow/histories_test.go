package workflow

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"

	"workflow-worker/runtime/bundle"
)

// driven says what besides its start each workflow of testdata/histories gets, and with what it
// starts. A file there is one family of features: its function is `run`. To record the history of a
// new one:
//
//	WORKFLOW_TEST_RECORD=1 make test PKGS=./runtime/workflow TESTFLAGS='-run TestRecordedFamilies'
//
// A history that is there is never written anew: it is what executions out there look like.
var driven = map[string]struct {
	args  func(p *project) []any
	drive func(p *project, run client.WorkflowRun)
}{
	"activities": {}, "local-activities": {}, "timers-and-scopes": {}, "children": {}, "patches": {}, "continue-as-new": {}, "failure": {},
	"before-rules": {}, // recorded before executions had rules of ours: it keeps to none
	"with-rules":   {},
	"before-there": {}, // … before it had the rule of that name
	"state":        {args: func(p *project) []any { p.searchAttributes(); return nil }},
	"nexus":        {args: func(p *project) []any { return []any{p.nexusEndpoint()} }},
	"cancellation": {drive: func(p *project, run client.WorkflowRun) {
		if err := p.c.CancelWorkflow(p.t.Context(), run.GetID(), run.GetRunID()); err != nil {
			p.t.Fatal(err)
		}
	}},
	"messages": {drive: func(p *project, run client.WorkflowRun) {
		p.signal(run, "add", 1)
		p.signal(run, "unknown", "x")
		for _, n := range []int{1, 2, -1} {
			if _, err := p.update(run, "grow", n); (err == nil) != (n == 1) {
				p.t.Fatalf("update %d: %v", n, err)
			}
		}
		p.signal(run, "last", nil)
	}},
}

// Each history is what a family of features left: this code must come from it to the same end, at
// the same result.
func TestRecordedFamiliesStillReplay(t *testing.T) {
	t.Parallel()
	for name, family := range driven {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := filepath.Join("testdata/histories", name)
			text, err := os.ReadFile(base + ".ts")
			if err != nil {
				t.Fatal(err)
			}
			p := unstarted(t)
			code := p.deploy(string(text))
			path := base + "-" + strings.Fields(bundle.Version())[1] + ".json"
			if _, err := os.Stat(path); os.Getenv(record) != "" && errors.Is(err, fs.ErrNotExist) {
				p.startWorker()
				var args []any
				if family.args != nil {
					args = family.args(p)
				}
				run := p.startWith(client.StartWorkflowOptions{ID: "recorded-" + p.queue, Memo: map[string]any{"b": 2}}, "run", args...)
				first := p.c.GetWorkflow(t.Context(), run.GetID(), run.GetRunID()) // run itself goes on to the next in the chain
				if family.drive != nil {
					family.drive(p, run)
				}
				_, _ = p.outcome(run)
				p.write(path, first)
			}
			p.opts.Resolver = oneCode{p, code}
			histories, err := filepath.Glob(base + "-[0-9]*.json")
			if err != nil || len(histories) == 0 {
				t.Fatal("no histories", err)
			}
			for _, path := range histories {
				p.replayFile(path)
			}
			// On whatever runtime it lives, an execution does the same.
			shared := NewRuntimes(RuntimesOptions{Shared: 1})
			defer shared.Close()
			for _, o := range []CodeOptions{{Runtimes: shared}, {Runtimes: shared, Isolated: true}, {Runtimes: shared, CallDepth: 1400}} {
				p.opts.Resolver = oneCode{p, NewCode(code.program, o)}
				for _, path := range histories {
					p.replayFile(path)
				}
			}
		})
	}
	for _, found := range must(filepath.Glob("testdata/histories/*.ts")) {
		if _, ok := driven[strings.TrimSuffix(filepath.Base(found), ".ts")]; !ok {
			t.Errorf("nobody replays %s", found)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// oneCode is a resolver to which every hash is one text: a fixture's, whose hash may change with
// the compiler.
type oneCode struct {
	*project
	code *Code
}

func (o oneCode) Pinned(context.Context, string) (*Code, error) { return o.code, nil }

func (o oneCode) Moved(_ context.Context, _, workflowType string) (*Code, string, error) {
	return o.code, workflowType, nil
}

func (p *project) write(path string, run client.WorkflowRun) {
	p.t.Helper()
	data, err := protojson.MarshalOptions{Indent: " "}.Marshal(p.history(run))
	if err != nil {
		p.t.Fatal(err)
	}
	// Of the machine it was recorded on, whose name is in identities.
	data = regexp.MustCompile(`"\d+@[^" ]*`).ReplaceAll(data, []byte(`"worker`))
	if err := os.WriteFile(path, data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// replayFile replays a recorded history and compares how the run ended.
func (p *project) replayFile(path string) {
	p.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	h := &historypb.History{}
	if err := protojson.Unmarshal(data, h); err != nil {
		p.t.Fatal(err)
	}
	started := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	result, err := p.resultOfReplay(workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()}, h)
	if err != nil {
		p.t.Errorf("%s: %v", path, err)
	}
	end := h.GetEvents()[len(h.GetEvents())-1]
	if want := text(end.GetWorkflowExecutionCompletedEventAttributes().GetResult()); result != want {
		p.t.Errorf("%s: the replay came to\n%s, the run to\n%s", path, result, want)
	}
}

// text is the first payload's, "" if there is none.
func text(ps *commonpb.Payloads) string {
	if len(ps.GetPayloads()) == 0 {
		return ""
	}
	return string(ps.GetPayloads()[0].GetData())
}
