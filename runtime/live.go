package runtime

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/build"
	"workflow-worker/runtime/workflow/wire"
)

// module is one version of one row that is live, was so, or may become so.
type module struct {
	build.Module
	id    string    // workflows.id or components.id
	since time.Time // when it went live here
	// behavior is a workflow row's: Pinned, AutoUpgrade or "".
	behavior string
	// asOf is when the rows were read that made it live, by the database's clock; zero if it never
	// was, here.
	asOf time.Time
}

// versioning says what becomes of the module's executions when newer code goes live; "" for a
// component.
func (m *module) versioning() string {
	switch {
	case m.Workflow == nil:
		return ""
	case m.behavior != "":
		return m.behavior
	case len(m.Upgrading) > 0:
		return AutoUpgrade
	}
	return Pinned
}

// warnings are what there is to say of a module that may be live all the same.
func (m *module) warnings() []Remark {
	out := remarksOf(m.Warnings)
	if m.Unclear != "" {
		out = append([]Remark{{Message: m.Unclear}}, out...)
	}
	return out
}

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
		case m.Unclear != "":
		case m.Text.Kind == KindWorkflow:
			put(l.workflows, m.Text.Name, target{m, m.Export})
		default:
			put(l.activities, m.Text.Name, activityTarget{m.Activity, m.Export})
		}
	}
	for _, m := range modules {
		for _, f := range m.Functions {
			if f != "default" {
				put(l.workflows, f, target{m, f})
			}
		}
		served := l.activities
		if m.Text.Kind == KindWorkflow {
			served = l.placeholders
		}
		for _, f := range m.ActivityFunctions {
			if f != "default" {
				put(served, f, activityTarget{m.Activity, f})
			}
		}
	}
	if m := dynamic(KindWorkflow, modules); m != nil && m.Unclear == "" {
		l.dynamicWorkflow = &target{m, m.Export}
	}
	if m := dynamic(KindComponent, modules); m != nil && m.Unclear == "" {
		l.dynamic = &activityTarget{m.Activity, m.Export}
	}
	return l
}

// dynamic finds the row that serves what nobody else does; nil if there is none, or more than one.
func dynamic(kind string, modules []*module) *module {
	var found *module
	for _, m := range modules {
		if m.Text.Kind == kind && m.Text.Name == build.DynamicRow {
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
	if m.Text.Kind == KindComponent {
		for name, t := range l.activities {
			if t.code == m.Activity {
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
		if m.Text.Kind == kind && m.id == id {
			return m
		}
	}
	return nil
}

// broken gives the rows of a kind of which no text can be run, with what is wrong with them. Their
// own names are theirs all the same: neither a built-in activity nor another row's function steps
// in for them.
func (b *reload) broken(kind string) map[string]string {
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
func (l *live) withBroken(b *reload) *live {
	l.broken, l.brokenWorkflows = b.broken(KindComponent), b.broken(KindWorkflow)
	l.brokenIDs = map[string]string{}
	for _, s := range b.sources {
		if s.kind == KindWorkflow && s.module == nil && s.err != nil {
			put(l.brokenIDs, s.name, s.id)
		}
	}
	problems := func(m *module) map[string]string {
		if m.Text.Kind == KindComponent {
			return l.broken
		}
		return l.brokenWorkflows
	}
	for _, m := range l.modules {
		if m.Unclear != "" {
			problems(m)[m.Text.Name] = fmt.Sprintf("%s %s: %s", m.Text.Kind, m.Text.Name, m.Unclear)
		}
	}
	for _, m := range l.modules {
		if m.Unclear == "" {
			delete(problems(m), m.Text.Name)
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

// unserved says which functions of a workflow row are not started by their names, because others
// have these.
func (l *live) unserved(m *module) (out []Remark) {
	if m.Workflow == nil {
		return nil
	}
	for _, name := range typesOf(m) {
		if name == m.Text.Name && m.Unclear != "" {
			continue
		}
		if problem, ok := l.brokenWorkflows[name]; ok {
			out = append(out, Remark{Message: fmt.Sprintf("%q doesn't start this row's function: another row has that name, which can't be started: %s", name, problem)})
			continue
		}
		if t, ok := l.workflows[name]; ok && t.module != m {
			out = append(out, Remark{Message: fmt.Sprintf("%q doesn't start this row's function, but %s of workflow row %s (id %s)", name, t.export, t.module.Text.Name, t.module.id)})
		}
	}
	return out
}

// typesOf gives the workflow types that any of the modules serves.
func typesOf(modules ...*module) []string {
	var out []string
	for _, m := range modules {
		out = append(out, m.Text.Name)
		for _, f := range m.Functions {
			if f != "default" {
				out = append(out, f)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// UnknownTypeError is a type that no live row serves.
type UnknownTypeError struct {
	Kind  string   // "workflow" or "activity"
	Type  string   // that was asked for
	Known []string // those that there are
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
