package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow"
)

// Module is one version of one row that can be run.
type Module struct {
	// Text is what it was built from, with its hash and those of the packages that it runs with.
	Text Text
	// Texts is the hash of the texts alone, see Text.HashOfTexts.
	Texts string
	// Packages are the npm packages of its programs.
	Packages []compile.StoredPackages

	// Export is the function that the row's own name means; "" if that is unclear, which Unclear
	// then says.
	Export, Unclear string

	// Workflow is a workflow row's code; nil for a component.
	Workflow *workflow.Code
	// Functions are the names of the functions that it exports, Upgrading those of them whose
	// executions may ask for newer code.
	Functions, Upgrading []string

	// Activity is the code of a component, or of a workflow row's activities if they can be run.
	Activity *activity.Code
	// ActivityFunctions are the names of the functions that it exports.
	ActivityFunctions []string
	// ActivitiesError says why a workflow row's activities can't be run. It doesn't stop the
	// workflow: the UI fills that column with placeholders.
	ActivitiesError error

	// Warnings are about the texts; they keep nothing from going live.
	Warnings []compile.Note
}

// DynamicRow is the name of the workflow row that serves the workflow types that no other row does,
// and of the component that does so for activities: in Temporal's own worker it is the default
// export of the workflows, and the activity named "default". Here default exports are many, and an
// execution keeps the code that it began on: a row must ask to be meant, or a type that is
// misspelt, or not there yet, would run as some other one.
const DynamicRow = "default"

// Serves gives the export that a workflow type means in this module. The error says that, or why,
// there is none.
func (m *Module) Serves(workflowType string) (export string, err error) {
	switch {
	case workflowType == m.Text.Name && m.Unclear == "":
		return m.Export, nil
	case workflowType != "default" && slices.Contains(m.Functions, workflowType):
		return workflowType, nil
	case workflowType == m.Text.Name, m.Text.Name == DynamicRow && m.Unclear != "":
		return "", errors.New(m.Unclear)
	case m.Text.Name == DynamicRow:
		return m.Export, nil
	}
	return "", fmt.Errorf("%s has no function for workflow type %q", m.title(), workflowType)
}

// title names the module to people.
func (m *Module) title() string {
	return strings.TrimSpace(m.Text.Name+" "+m.Text.Version) + " (" + m.Text.Hash[:min(12, len(m.Text.Hash))] + ")"
}

// Workflow compiles a workflow row's texts and finds out what they export. Stored ones have the
// hash that executions are pinned to, and run under it with the packages that were kept; new ones
// get theirs here.
//
// liveHash is the hash that was last live of the row, "" for none: what has it, or was stored, may
// take names from modules that don't have them.
func (b *Builder) Workflow(ctx context.Context, projectID string, t Text, liveHash string) (*Module, error) {
	p, err := b.compile(ctx, t.source(projectID), t.Packages)
	if err != nil {
		return nil, err
	}
	out := &Module{Text: t, Texts: t.HashOfTexts()}
	out.keep(&out.Text.Packages, p)
	var said, saidOfActivities examined
	if t.Hash == "" {
		if said, err = b.examine(ctx, projectID, p); err != nil {
			return nil, err
		}
	}
	found, err := contents(ctx, p, t.Code, b.o.Workflows(projectID))
	if err != nil {
		return nil, said.instead(ctx, err)
	}
	out.Functions, out.Upgrading = found.Functions, found.Upgrading
	if out.Export, out.Unclear, err = exportOf(t.Name, out.Functions); err != nil {
		return nil, err
	}
	var activities *compile.Program
	activitiesHash := ""
	if t.ActivitiesCode != "" {
		source := t.activitySource(projectID)
		activitiesHash = source.Hash()
		compiled, functions, about, err := b.checkActivities(ctx, projectID, source, t.ActivitiesPackages, t.Hash == "")
		saidOfActivities = about
		switch {
		case err == nil:
			activities, out.ActivityFunctions, activitiesHash = compiled, functions, compiled.Hash
			out.keep(&out.Text.ActivitiesPackages, compiled)
		case !IsTextsFault(ctx, err):
			return nil, err
		default:
			out.ActivitiesError = err
		}
	}
	if t.Hash == "" {
		out.Text.Hash = hashOfBoth(p.Hash, activitiesHash)
		wasLive := out.Text.Hash == liveHash
		if said.refusal != nil && !wasLive {
			return nil, said.refusal
		}
		if saidOfActivities.refusal != nil && !wasLive && activities != nil {
			out.ActivitiesError = saidOfActivities.refusal
			activities, out.ActivityFunctions = nil, nil
		}
		out.Warnings = append(said.notes(wasLive), saidOfActivities.notes(wasLive)...)
	}
	out.Workflow = workflow.NewCode(withHash(p, out.Text.Hash), b.o.Workflows(projectID))
	out.Workflow.SetVersion(t.Version)
	if activities != nil {
		out.Activity = activity.NewCode(withHash(activities, out.Text.Hash), b.o.Activities(projectID))
	}
	return out, nil
}

// keep notes the packages of a program, for its text to be kept with.
func (m *Module) keep(hash *string, p *compile.Program) {
	if p.Packages != nil {
		*hash = p.Packages.Hash
		m.Packages = append(m.Packages, p.Packages.StoredPackages)
	}
}

// checkActivities compiles activities and names what they export. What is new is examined, too.
func (b *Builder) checkActivities(ctx context.Context, projectID string, s compile.Source, packages string, isNew bool) (
	p *compile.Program, functions []string, said examined, err error,
) {
	if p, err = b.compile(ctx, s, packages); err != nil {
		return nil, nil, examined{warnings: WarningsOf(err)}, err
	}
	if isNew {
		if said, err = b.examine(ctx, projectID, p); err != nil {
			return nil, nil, said, err
		}
	}
	if declared, complete := p.Functions(); complete && p.Quiet {
		return p, declared, said, nil
	}
	code := activity.NewCode(p, b.o.Activities(projectID))
	defer code.Close()
	if functions, err = code.Check(ctx); err != nil {
		err = said.instead(ctx, err)
	}
	return p, functions, said, err
}

// Component compiles a component, of a language as its row names it; its hash and liveHash are as
// Workflow's.
func (b *Builder) Component(ctx context.Context, projectID, language string, t Text, liveHash string) (*Module, error) {
	if !isScript(language) {
		return nil, fmt.Errorf("a component in %q can't be run: implementation_language must be typescript or javascript", language)
	}
	p, functions, said, err := b.checkActivities(ctx, projectID, t.source(projectID), t.Packages, t.Hash == "")
	if err != nil {
		return nil, err
	}
	wasLive := p.Hash == liveHash
	if said.refusal != nil && !wasLive {
		return nil, said.refusal
	}
	out := &Module{Text: t, Texts: t.HashOfTexts(), ActivityFunctions: functions, Warnings: said.notes(wasLive)}
	out.keep(&out.Text.Packages, p)
	if t.Hash == "" {
		out.Text.Hash = p.Hash
	}
	out.Activity = activity.NewCode(withHash(p, out.Text.Hash), b.o.Activities(projectID))
	if out.Export, out.Unclear, err = exportOf(t.Name, out.ActivityFunctions); err != nil {
		return nil, err
	}
	return out, nil
}

// isScript reports whether a component's language is one that is run here. Code in no language is
// TypeScript: who writes rows may leave the column alone.
func isScript(language string) bool {
	switch strings.ToLower(strings.TrimSpace(language)) {
	case "", "typescript", "ts", "mts", "cts", "javascript", "js", "mjs", "cjs", "ecmascript", "es", "node", "nodejs", "node.js":
		return true
	}
	return false
}

// withHash is the program under another hash: a row's hash covers both of its texts.
func withHash(p *compile.Program, hash string) *compile.Program {
	out := *p
	out.Hash = hash
	return &out
}
