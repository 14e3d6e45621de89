package runtime

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/workflow"
)

// module is one version of one row that can be run.
type module struct {
	stored StoredModule
	since  time.Time
	id     string // workflows.id or components.id

	// Of a workflow row:
	workflow  *workflow.Code
	functions []string // exported by it
	export    string   // that the row's own name starts

	// Of a component, or of a workflow row's activities_code if it compiles:
	activity          *activity.Code
	activityFunctions []string
	// activityError says why activities_code isn't served. It doesn't stop the workflow: the UI fills that column with
	// placeholders.
	activityError *SourceError
}

// serves gives the export that a workflow type means in this module.
func (m *module) serves(workflowType string) (export string, err error) {
	switch {
	case workflowType == m.stored.Name:
		return m.export, nil
	case workflowType != "default" && slices.Contains(m.functions, workflowType):
		return workflowType, nil
	}
	return "", fmt.Errorf("%s has no function for workflow type %q", m.title(), workflowType)
}

// title names the module to people.
func (m *module) title() string {
	return strings.TrimSpace(m.stored.Name+" "+m.stored.Version) + " (" + m.stored.Hash[:min(12, len(m.stored.Hash))] + ")"
}

// moduleHash identifies a workflow row's two texts together.
func moduleHash(code, activities compile.Source) string {
	if activities.Text == "" {
		return code.Hash()
	}
	sum := sha256.Sum256([]byte(code.Hash() + activities.Hash()))
	return hex.EncodeToString(sum[:])
}

func workflowSource(name, text string) compile.Source {
	return compile.Source{Name: name + ".ts", Kind: compile.Workflow, Text: text}
}

func activitySource(name, text string) compile.Source {
	return compile.Source{Name: name + ".activities.ts", Kind: compile.Activity, Text: text}
}

func componentSource(name, text string) compile.Source {
	return compile.Source{Name: name + ".ts", Kind: compile.Activity, Text: text}
}

// hashOf is the hash that the stored texts get, before they are compiled.
func hashOf(m StoredModule) string {
	if m.Kind == KindComponent {
		return componentSource(m.Name, m.Code).Hash()
	}
	return moduleHash(workflowSource(m.Name, m.Code), activitySource(m.Name, m.ActivitiesCode))
}

// buildWorkflow compiles a workflow row's texts and finds out what they export. hash is the one to run under; executions are
// pinned to it.
func (r *Runner) buildWorkflow(ctx context.Context, projectID string, m StoredModule) (*module, error) {
	p, err := r.compile(ctx, workflowSource(m.Name, m.Code))
	if err != nil {
		return nil, err
	}
	out := &module{stored: m, id: m.WorkflowID, workflow: workflow.NewCode(withHash(p, m.Hash), workflow.CodeOptions{})}
	out.workflow.SetVersion(m.Version)
	if out.functions, err = exportedFunctions(ctx, p); err != nil {
		return nil, err
	}
	if out.export, err = workflowExport(m.Name, out.functions); err != nil {
		return nil, err
	}
	if m.ActivitiesCode != "" {
		if err := r.addActivities(ctx, out, projectID); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			out.activityError = sourceError(err, m.Version)
		}
	}
	return out, nil
}

// addActivities compiles a workflow row's activities_code.
func (r *Runner) addActivities(ctx context.Context, m *module, projectID string) error {
	p, err := r.compile(ctx, activitySource(m.stored.Name, m.stored.ActivitiesCode))
	if err != nil {
		return err
	}
	code := activity.NewCode(withHash(p, m.stored.Hash), r.activityOptions(projectID))
	functions, err := code.Check(ctx)
	if err != nil {
		return err
	}
	m.activity, m.activityFunctions = code, functions
	return nil
}

// buildComponent compiles a component.
func (r *Runner) buildComponent(ctx context.Context, projectID, language string, m StoredModule, id string) (*module, error) {
	if language != "typescript" && language != "javascript" {
		return nil, fmt.Errorf("a component in %q can't be run: implementation_language must be typescript or javascript", language)
	}
	p, err := r.compile(ctx, componentSource(m.Name, m.Code))
	if err != nil {
		return nil, err
	}
	out := &module{stored: m, id: id, activity: activity.NewCode(withHash(p, m.Hash), r.activityOptions(projectID))}
	if out.activityFunctions, err = out.activity.Check(ctx); err != nil {
		return nil, err
	}
	if out.export, err = workflowExport(m.Name, out.activityFunctions); err != nil {
		return nil, err
	}
	return out, nil
}

// compile tells the compiler's own trouble from the text's.
func (r *Runner) compile(ctx context.Context, s compile.Source) (*compile.Program, error) {
	p, err := r.cfg.Compiler.Compile(ctx, s)
	var bad *compile.Error
	if err != nil && !errors.As(err, &bad) {
		return nil, fmt.Errorf("%w: %w", errInfrastructure, err)
	}
	return p, err
}

// withHash is the program under another hash: a row's hash covers both of its texts.
func withHash(p *compile.Program, hash string) *compile.Program {
	out := *p
	out.Hash = hash
	return &out
}

// sourceError tells the author of a row what is wrong with it.
func sourceError(err error, version string) *SourceError {
	e := &SourceError{Version: version, Message: err.Error()}
	var bad *compile.Error
	var thrown *sandbox.Thrown
	switch {
	case errors.As(err, &bad):
		e.Message, e.File, e.Line, e.Column = bad.Message, bad.File, bad.Line, bad.Column
	case errors.As(err, &thrown):
		e.Message, e.File, e.Line, e.Column = thrown.Message, thrown.File, thrown.Line, thrown.Column
	}
	return e
}
