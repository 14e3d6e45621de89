package runtime

import (
	"context"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/runtime/activity"
)

// Problem puts into one line why the newest text of a source isn't live, "" if it is: what a
// worker's row shows of it, and what a call to a component that can't be run fails with.
func (s SourceReport) Problem() string {
	e := s.Error
	if e == nil {
		return ""
	}
	var where string
	switch {
	case e.File != "" && e.Line > 0:
		where = fmt.Sprintf("%s:%d:%d: ", e.File, e.Line, e.Column)
	case e.Line > 0:
		where = fmt.Sprintf("%d:%d: ", e.Line, e.Column)
	}
	what := fmt.Sprintf("%s %s: %s%s", s.Kind, s.Name, where, e.Message)
	if n := len(e.More); n > 0 {
		what += fmt.Sprintf(" (and %d more)", n)
	}
	return what
}

// broken gives the rows of a kind of which no text can be run, with what is wrong with them. Their
// own names are theirs all the same: neither a built-in activity nor another row's function steps
// in for them.
func (b *builder) broken(kind string) map[string]string {
	out := map[string]string{}
	for _, s := range b.sources {
		if s.kind == kind && s.module == nil && s.err != nil {
			put(out, s.name, SourceReport{Kind: s.kind, Name: s.name, Error: s.err}.Problem())
		}
	}
	return out
}

// withBroken has calls to components, and starts of workflows, that can't be run fail with what is
// wrong with them; so do calls and starts by a name that may mean several functions. Of two rows of
// one name one may work.
func (l *live) withBroken(b *builder) *live {
	l.broken, l.brokenWorkflows = b.broken(KindComponent), b.broken(KindWorkflow)
	l.brokenIDs = map[string]string{}
	for _, s := range b.sources {
		if s.kind == KindWorkflow && s.module == nil && s.err != nil {
			put(l.brokenIDs, s.name, s.id)
		}
	}
	problems := func(m *module) map[string]string {
		if m.stored.Kind == KindComponent {
			return l.broken
		}
		return l.brokenWorkflows
	}
	for _, m := range l.modules {
		if m.unclear != "" {
			problems(m)[m.stored.Name] = fmt.Sprintf("%s %s: %s", m.stored.Kind, m.stored.Name, m.unclear)
		}
	}
	for _, m := range l.modules {
		if m.unclear == "" {
			delete(problems(m), m.stored.Name)
		}
	}
	for name := range l.brokenWorkflows {
		delete(l.workflows, name) // another row's function
	}
	for name := range l.broken {
		delete(l.activities, name)
	}
	return l
}

// fails is an activity that only fails. Trying again is no use before somebody mends the text.
func fails(problem string) func(context.Context, *commonpb.Payloads) (*commonpb.Payloads, error) {
	return func(context.Context, *commonpb.Payloads) (*commonpb.Payloads, error) {
		return nil, temporal.NewNonRetryableApplicationError(problem, activity.LoadErrorType, nil)
	}
}
