package runtime

import (
	"errors"
	"fmt"

	"workflow-worker/runtime/compile"
)

// warnings are what there is to say of a module that may be live all the same.
func (m *module) warnings() []Remark {
	out := m.remarks
	if m.unclear != "" {
		out = append([]Remark{{Message: m.unclear}}, out...)
	}
	return out
}

// unserved says which functions of a workflow row are not started by their names, because others have these.
func (l *live) unserved(m *module) (out []Remark) {
	if m.workflow == nil {
		return nil
	}
	for _, name := range typesOf(m) {
		if name == m.stored.Name && m.unclear != "" {
			continue
		}
		if problem, ok := l.brokenWorkflows[name]; ok {
			out = append(out, Remark{Message: fmt.Sprintf("%q doesn't start this row's function: another row has that name, which can't be started: %s", name, problem)})
			continue
		}
		if t, ok := l.workflows[name]; ok && t.module != m {
			out = append(out, Remark{Message: fmt.Sprintf("%q doesn't start this row's function, but %s of workflow row %s (id %s)", name, t.export, t.module.stored.Name, t.module.id)})
		}
	}
	return out
}

// warningsOf gives the warnings that came with an error of the compiler.
func warningsOf(err error) []Remark {
	var bad *compile.Error
	if !errors.As(err, &bad) {
		return nil
	}
	return remarksOf(bad.Warnings)
}

func remarksOf(notes []compile.Note) (out []Remark) {
	for _, n := range notes {
		out = append(out, Remark(n))
	}
	return out
}
