package workflow

import (
	"testing"

	"go.uber.org/goleak"

	"workflow-worker/runtime/compile"
)

func TestNewCodeTakesTheSpareRuntimeAndNobodyElseGetsIt(t *testing.T) {
	t.Parallel()
	program := spareProgram(t)
	s := &Spare{}
	defer s.Close()
	if err := s.Fill(); err != nil {
		t.Fatal(err)
	}
	spare := s.ready
	first, second := NewCode(program, CodeOptions{Spare: s}), NewCode(program, CodeOptions{Spare: s})
	defer first.Discard()
	defer second.Discard()
	for _, c := range []*Code{first, second} {
		if found, err := c.Check(t.Context()); err != nil || len(found.Functions) != 1 {
			t.Fatal(found, err)
		}
	}
	if len(first.vms) != 1 || first.vms[0] != spare || spare.code != first {
		t.Error("the first code didn't take the spare runtime")
	}
	if len(second.vms) != 1 || second.vms[0] == spare {
		t.Error("two codes share a runtime")
	}
}

func TestCodeWithLimitsOfItsOwnTakesNoSpareRuntime(t *testing.T) {
	t.Parallel()
	s := &Spare{}
	defer s.Close()
	if err := s.Fill(); err != nil {
		t.Fatal(err)
	}
	c := NewCode(spareProgram(t), CodeOptions{Spare: s, CallDepth: 100})
	defer c.Discard()
	if _, err := c.Check(t.Context()); err != nil || s.ready == nil {
		t.Error("the spare runtime is gone", err)
	}
}

func TestAClosedSpareMakesNoRuntime(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := &Spare{}
	if err := s.Fill(); err != nil {
		t.Fatal(err)
	}
	if s.take() == nil {
		t.Error("there was none")
	}
	s.Close() // with the timer for the next one set
	if err := s.Fill(); err != nil || s.ready != nil || s.take() != nil {
		t.Error("there is one", err)
	}
	goleak.VerifyNone(t, before)
}

func spareProgram(t *testing.T) *compile.Program {
	t.Helper()
	comp := compile.New(compile.Config{})
	t.Cleanup(comp.Close)
	p, err := comp.Compile(t.Context(), compile.Source{Name: "spare.ts", Kind: compile.Workflow, Text: `export async function spare() {}`})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
