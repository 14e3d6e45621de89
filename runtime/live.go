package runtime

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/workflow/wire"
)

// live is what a project serves at one moment. It is immutable: a reload makes another and swaps
// the pointer.
type live struct {
	// modules are in the order of the rows; both kinds.
	modules []*module
	// workflows and activities say what serves a type.
	workflows  map[string]target
	activities map[string]activityTarget
	// placeholders are the functions of activities_code, which come after the built-in activities.
	placeholders map[string]activityTarget
	// broken and brokenWorkflows say, by the rows' names, what is wrong with the components and
	// workflows that can't be run, or of which it is unclear which function the name means.
	broken, brokenWorkflows map[string]string
	// brokenIDs are the workflows.id of brokenWorkflows.
	brokenIDs map[string]string
	// moves are the hashes that executions were told to go on with, by run id.
	moves map[string]string
	// dynamic serves the activity types that nobody else does; nil if there is none.
	dynamic *activityTarget
	// dynamicWorkflow serves the workflow types that nobody else does; nil if there is none.
	dynamicWorkflow *target
}

// target is a workflow function.
type target struct {
	module *module
	export string
}

// activityTarget is an activity function.
type activityTarget struct {
	code   *activity.Code
	export string
}

func (t activityTarget) execute(ctx context.Context, input *commonpb.Payloads) (*commonpb.Payloads, error) {
	return t.code.Execute(ctx, t.export, input)
}

// title names the code to people.
func (t activityTarget) title() string {
	return wire.Title(t.code.Name(), "", t.code.Hash())
}

// newLive decides which module serves which type: a row's own name goes before another row's
// exports, then the order of the rows counts.
func newLive(modules []*module) *live {
	l := &live{modules: modules, workflows: map[string]target{}, activities: map[string]activityTarget{}, placeholders: map[string]activityTarget{}}
	for _, m := range modules {
		switch {
		case m.unclear != "":
		case m.stored.Kind == KindWorkflow:
			put(l.workflows, m.stored.Name, target{m, m.export})
		default:
			put(l.activities, m.stored.Name, activityTarget{m.activity, m.export})
		}
	}
	for _, m := range modules {
		for _, f := range m.functions {
			if f != "default" {
				put(l.workflows, f, target{m, f})
			}
		}
		served := l.activities
		if m.stored.Kind == KindWorkflow {
			served = l.placeholders
		}
		for _, f := range m.activityFunctions {
			if f != "default" {
				put(served, f, activityTarget{m.activity, f})
			}
		}
	}
	if m := dynamic(KindWorkflow, modules); m != nil && m.unclear == "" {
		l.dynamicWorkflow = &target{m, m.export}
	}
	if m := dynamic(KindComponent, modules); m != nil && m.unclear == "" {
		l.dynamic = &activityTarget{m.activity, m.export}
	}
	return l
}

// dynamicRow is the name of the workflow row that serves the workflow types that no other row does,
// and of the component that does so for activities: in Temporal's own worker it is the default
// export of the workflows, and the activity named "default". Here default exports are many, and an
// execution keeps the code that it began on: a row must ask to be meant, or a type that is
// misspelt, or not there yet, would run as some other one.
const dynamicRow = "default"

func dynamic(kind string, modules []*module) *module {
	var found *module
	for _, m := range modules {
		if m.stored.Kind == kind && m.stored.Name == dynamicRow {
			if found != nil {
				return nil
			}
			found = m
		}
	}
	return found
}

func put[V any](m map[string]V, name string, v V) {
	if _, ok := m[name]; !ok {
		m[name] = v
	}
}

// target finds the function that a workflow type means.
func (l *live) target(workflowType string) (target, bool) {
	if _, broken := l.brokenWorkflows[workflowType]; broken {
		return target{}, false
	}
	if t, ok := l.workflows[workflowType]; ok {
		return t, true
	}
	if l.dynamicWorkflow != nil {
		return *l.dynamicWorkflow, true
	}
	return target{}, false
}

// types gives the types that a module serves, sorted.
func (l *live) types(m *module) []string {
	var out []string
	for name, t := range l.workflows {
		if t.module == m {
			out = append(out, name)
		}
	}
	if m.stored.Kind == KindComponent {
		for name, t := range l.activities {
			if t.code == m.activity {
				out = append(out, name)
			}
		}
	}
	sort.Strings(out)
	return out
}

// find gives the live module of a row; nil if it has none.
func (l *live) find(kind, id string) *module {
	if l == nil {
		return nil
	}
	for _, m := range l.modules {
		if m.stored.Kind == kind && m.id == id {
			return m
		}
	}
	return nil
}

// UnknownTypeError is a type that no live row serves.
type UnknownTypeError struct {
	Kind  string // "workflow" or "activity"
	Type  string
	Known []string
}

func (e *UnknownTypeError) Error() string {
	known := "none"
	if len(e.Known) > 0 {
		slices.Sort(e.Known)
		known = strings.Join(e.Known, ", ")
	}
	return fmt.Sprintf("no %s of this project is named %q; there are: %s", e.Kind, e.Type, known)
}

func names[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	return out
}
