package workflow

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/encoding/protojson"

	"workflow-worker/runtime/bundle"
)

// record makes TestRecordedHistoriesStillReplay write a history under the bundle that it runs with:
// WORKFLOW_TEST_RECORD=1. Only for new fixtures: the old ones are what executions out there look
// like.
//
// A history's name ends with the version of @temporalio/workflow that it was recorded under. Those
// of older versions than this repository ever had were recorded with that version in
// runtime/bundle/package.json and a lock file to match (npm install --package-lock-only). 1.13 also
// took an entry.ts without lib/random-helpers, which that version hasn't got.
const record = "WORKFLOW_TEST_RECORD"

// anyHash is a resolver to which every hash is one text: a fixture's, whose hash may change with
// the compiler.
type anyHash struct{ *project }

func (a anyHash) Pinned(ctx context.Context, hash string) (*Code, error) {
	code, _, err := a.Current("everything")
	return code, err
}

func TestRecordedHistoriesStillReplay(t *testing.T) {
	texts, err := filepath.Glob("testdata/*.ts")
	if err != nil || len(texts) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, text := range texts {
		t.Run(filepath.Base(text), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(text)
			if err != nil {
				t.Fatal(err)
			}
			p := unstarted(t)
			p.deploy(string(source))
			if os.Getenv(record) != "" {
				p.startWorker()
				p.recordEverything(strings.TrimSuffix(text, ".ts"))
			}
			p.opts.Resolver = anyHash{p}
			histories, err := filepath.Glob(strings.TrimSuffix(text, ".ts") + "*.json")
			if err != nil || len(histories) < 3 {
				t.Fatalf("an upgrade of Temporal's package is only proven by histories of older ones; there are %q, %v", histories, err)
			}
			for _, path := range histories {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				h := &historypb.History{}
				if err := protojson.Unmarshal(data, h); err != nil {
					t.Fatal(err)
				}
				started := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
				if err := p.replayAs(workflow.Execution{ID: started.GetWorkflowId(), RunID: started.GetOriginalExecutionRunId()}, h); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
		})
	}
}

// recordEverything drives the workflow of testdata/everything.ts and writes its history.
func (p *project) recordEverything(path string) {
	run := p.startWith(client.StartWorkflowOptions{ID: "everything"}, "everything", "grüße")
	p.signal(run, "add", 3)
	if _, err := p.update(run, "grow", 4); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.update(run, "grow", -1); err == nil {
		p.t.Fatal("the update was not rejected")
	}
	p.result(run)
	data, err := protojson.MarshalOptions{Indent: " "}.Marshal(p.history(run))
	if err != nil {
		p.t.Fatal(err)
	}
	data = regexp.MustCompile(`"\d+@[^"]*"`).ReplaceAll(data, []byte(`"worker"`))
	sdk := strings.Fields(bundle.Version())[1]
	if err := os.WriteFile(path+"-"+sdk+".json", data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
