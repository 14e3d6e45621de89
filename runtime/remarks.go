package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// unserved says which functions of a workflow row are not started by their names, because others
// have these.
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

// examined is what is said of one new text.
type examined struct {
	// refusal is why the text isn't to go live: names that modules don't have.
	refusal  error
	refused  []compile.Note
	warnings []Remark
}

// examine says what a program's names tell, those that it takes from npm packages among them.
func (r *Runner) examine(ctx context.Context, projectID string, p *compile.Program) (examined, error) {
	refused, warnings, err := r.missing(ctx, projectID, p)
	if err != nil {
		return examined{}, err
	}
	return examined{
		refusal: p.RefusedError(refused...), refused: append(slices.Clip(p.Refused), refused...),
		warnings: remarksOf(append(slices.Clip(p.Warnings), warnings...)),
	}, nil
}

// instead gives the refusal in place of an error that is likely to follow from it.
func (e examined) instead(ctx context.Context, err error) error {
	if e.refusal != nil && isTextsFault(ctx, err) {
		return e.refusal
	}
	return err
}

// remarks gives the warnings. Of what was live already, what would be refused is a warning as well.
func (e examined) remarks(wasLive bool) []Remark {
	if wasLive {
		return append(remarksOf(e.refused), e.warnings...)
	}
	return e.warnings
}

func remarksOf(notes []compile.Note) (out []Remark) {
	for _, n := range notes {
		out = append(out, Remark(n))
	}
	return out
}
