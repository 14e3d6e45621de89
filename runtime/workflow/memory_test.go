package workflow

import (
	"fmt"
	"os"
	"runtime/pprof"
	"testing"

	"workflow-worker/runtime/compile"
)

// BenchmarkWaitingProjects reports the bytes of heap that a project takes as soon as one execution
// of it waits, at 300 projects: of its code and its program, and what it has in the runtimes. With
// HEAP_PROFILE=file the profile is written there.
func BenchmarkWaitingProjects(b *testing.B) {
	const projects = 300
	for name, isolated := range map[string]bool{"shared": false, "own": true} {
		b.Run(name, func(b *testing.B) {
			comp := compile.New(compile.Config{})
			b.Cleanup(comp.Close)
			for b.Loop() {
				s := NewRuntimes(RuntimesOptions{})
				before := heap()
				kept := make([]*definition, projects)
				for i := range kept {
					kept[i] = waitingProject(b, comp, s, isolated, i)
				}
				b.ReportMetric(float64(heap()-before)/projects, "B/project")
				if file := os.Getenv("HEAP_PROFILE"); file != "" && !isolated {
					writeHeap(b, file)
				}
				for _, d := range kept {
					d.Close()
				}
				s.Close()
			}
		})
	}
}

func waitingProject(b *testing.B, comp *compile.Compiler, s *Runtimes, isolated bool, i int) *definition {
	program, err := comp.Compile(b.Context(), compile.Source{Name: "bench.ts", Kind: compile.Workflow, Text: benchmarked + fmt.Sprintf("export const n = %d;", i)})
	if err != nil {
		b.Fatal(err)
	}
	p := &project{t: b, current: map[string]target{}, known: map[string]*Code{}, seen: &observations{}}
	p.opts = Options{ProjectID: fmt.Sprint(i), Resolver: p}
	p.current["waits"] = target{NewCode(program, CodeOptions{Runtimes: s, Isolated: isolated}), "waits"}
	return p.waits("waits")
}

func writeHeap(b *testing.B, file string) {
	f, err := os.Create(file) //nolint:gosec // whoever measures says where
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := pprof.Lookup("heap").WriteTo(f, 0); err != nil {
		b.Fatal(err)
	}
}
