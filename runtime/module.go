package runtime

import (
	"cmp"
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
	// texts is the hash of the texts alone.
	texts string
	// packages are those of its programs.
	packages []compile.StoredPackages
	since    time.Time
	id       string // workflows.id or components.id

	// Of a workflow row:
	workflow  *workflow.Code
	functions []string // exported by it
	upgrading []string // those of them that may ask for newer code
	export    string   // that the row's own name means; "" if that is unclear
	unclear   string   // says so
	// behavior is the row's: Pinned, AutoUpgrade or "".
	behavior string
	// asOf is when the rows were read that made it live, by the database's clock; zero if it never
	// was, here.
	asOf time.Time

	// Of a component, or of a workflow row's activities_code if it compiles:
	activity          *activity.Code
	activityFunctions []string
	// remarks are the warnings about its texts.
	remarks []Remark
	// activityError says why activities_code isn't served. It doesn't stop the workflow: the UI
	// fills that column with placeholders.
	activityError *SourceError
}

// serves gives the export that a workflow type means in this module.
func (m *module) serves(workflowType string) (export string, err error) {
	switch {
	case workflowType == m.stored.Name && m.unclear == "":
		return m.export, nil
	case workflowType != "default" && slices.Contains(m.functions, workflowType):
		return workflowType, nil
	case workflowType == m.stored.Name, m.stored.Name == dynamicRow && m.unclear != "":
		return "", errors.New(m.unclear)
	case m.stored.Name == dynamicRow:
		return m.export, nil
	}
	return "", fmt.Errorf("%s has no function for workflow type %q", m.title(), workflowType)
}

// versioning says what becomes of the module's executions when newer code goes live; "" for a
// component.
func (m *module) versioning() string {
	switch {
	case m.workflow == nil:
		return ""
	case m.behavior != "":
		return m.behavior
	case len(m.upgrading) > 0:
		return AutoUpgrade
	}
	return Pinned
}

// title names the module to people.
func (m *module) title() string {
	return strings.TrimSpace(m.stored.Name+" "+m.stored.Version) + " (" + m.stored.Hash[:min(12, len(m.stored.Hash))] + ")"
}

// moduleHash identifies a workflow row's two texts together; activities is "" if it has but one.
func moduleHash(code, activities string) string {
	if activities == "" {
		return code
	}
	sum := sha256.Sum256([]byte(code + activities))
	return hex.EncodeToString(sum[:])
}

// settings are those of the compiler for the module's texts: a kept one's are what it was stored
// with.
func (m StoredModule) settings() string {
	if m.Hash == "" {
		return compile.SettingsVersion
	}
	return cmp.Or(m.CompilerSettings, compile.FirstSettings)
}

// source is the text of a component, or a workflow's.
func (m StoredModule) source() compile.Source {
	kind := compile.Workflow
	if m.Kind == KindComponent {
		kind = compile.Activity
	}
	return compile.Source{Name: m.Name + ".ts", Kind: kind, Text: m.Code, Settings: m.settings()}
}

// activitySource is the text of a workflow row's activities.
func (m StoredModule) activitySource() compile.Source {
	return compile.Source{Name: m.Name + ".activities.ts", Kind: compile.Activity, Text: m.ActivitiesCode, Settings: m.settings()}
}

// hashOf is the hash of the texts, before they are compiled: npm packages that they import are not
// in it.
func hashOf(m StoredModule) string {
	if m.Kind == KindComponent {
		return m.source().Hash()
	}
	activities := ""
	if m.ActivitiesCode != "" {
		activities = m.activitySource().Hash()
	}
	return moduleHash(m.source().Hash(), activities)
}

// buildWorkflow compiles a workflow row's texts and finds out what they export. Kept ones have the
// hash that executions are pinned to, and run under it with the packages that were kept; new ones
// get theirs here.
//
// liveHash is the row's, see Workflow: what has it, or was kept, may take names from modules that
// don't have them.
func (r *Runner) buildWorkflow(ctx context.Context, projectID string, m StoredModule, liveHash string) (*module, error) {
	p, err := r.compile(ctx, m.source(), m.Packages)
	if err != nil {
		return nil, err
	}
	out := &module{stored: m, texts: hashOf(m), id: m.WorkflowID}
	out.keep(&out.stored.Packages, p)
	var said, saidOfActivities examined
	if m.Hash == "" {
		if said, err = r.examine(ctx, projectID, p); err != nil {
			return nil, err
		}
	}
	found, err := contents(ctx, p, m.Code, r.cfg.Compiler.Probe)
	if err != nil {
		return nil, said.instead(ctx, err)
	}
	out.functions, out.upgrading = found.Functions, found.Upgrading
	if out.export, out.unclear, err = exportOf(m.Name, out.functions); err != nil {
		return nil, err
	}
	var activities *compile.Program
	activitiesHash := ""
	if m.ActivitiesCode != "" {
		source := m.activitySource()
		activitiesHash = source.Hash()
		compiled, functions, about, err := r.checkActivities(ctx, projectID, source, m.ActivitiesPackages, m.Hash == "")
		saidOfActivities = about
		switch {
		case err == nil:
			activities, out.activityFunctions, activitiesHash = compiled, functions, compiled.Hash
			out.keep(&out.stored.ActivitiesPackages, compiled)
		case !isTextsFault(ctx, err):
			return nil, err
		default:
			out.activityError = sourceError(err, m.Version)
		}
	}
	if m.Hash == "" {
		out.stored.Hash = moduleHash(p.Hash, activitiesHash)
		wasLive := out.stored.Hash == liveHash
		if said.refusal != nil && !wasLive {
			return nil, said.refusal
		}
		if saidOfActivities.refusal != nil && !wasLive && activities != nil {
			out.activityError = sourceError(saidOfActivities.refusal, m.Version)
			activities, out.activityFunctions = nil, nil
		}
		out.remarks = append(said.remarks(wasLive), saidOfActivities.remarks(wasLive)...)
	}
	out.workflow = workflow.NewCode(withHash(p, out.stored.Hash), workflow.CodeOptions{
		Runtimes: r.runtimes, Isolated: r.isolated(projectID), Probe: r.cfg.Compiler.Probe,
	})
	out.workflow.SetVersion(m.Version)
	if activities != nil {
		out.activity = activity.NewCode(withHash(activities, out.stored.Hash), r.activityOptions(projectID))
	}
	return out, nil
}

// keep notes the packages of a program, for its text to be kept with.
func (m *module) keep(hash *string, p *compile.Program) {
	if p.Packages != nil {
		*hash = p.Packages.Hash
		m.packages = append(m.packages, p.Packages.StoredPackages)
	}
}

// checkActivities compiles activities and names what they export. What is new is examined, too.
func (r *Runner) checkActivities(ctx context.Context, projectID string, s compile.Source, packages string, isNew bool) (
	p *compile.Program, functions []string, said examined, err error,
) {
	if p, err = r.compile(ctx, s, packages); err != nil {
		return nil, nil, examined{warnings: warningsOf(err)}, err
	}
	if isNew {
		if said, err = r.examine(ctx, projectID, p); err != nil {
			return nil, nil, said, err
		}
	}
	code := activity.NewCode(p, r.activityOptions(projectID))
	defer code.Close()
	if functions, err = code.Check(ctx); err != nil {
		err = said.instead(ctx, err)
	}
	return p, functions, said, err
}

// buildComponent compiles a component; its hash and liveHash are as buildWorkflow's.
func (r *Runner) buildComponent(ctx context.Context, projectID, language string, m StoredModule, id, liveHash string) (*module, error) {
	if !isScript(language) {
		return nil, fmt.Errorf("a component in %q can't be run: implementation_language must be typescript or javascript", language)
	}
	p, functions, said, err := r.checkActivities(ctx, projectID, m.source(), m.Packages, m.Hash == "")
	if err != nil {
		return nil, err
	}
	wasLive := p.Hash == liveHash
	if said.refusal != nil && !wasLive {
		return nil, said.refusal
	}
	out := &module{stored: m, texts: hashOf(m), id: id, activityFunctions: functions, remarks: said.remarks(wasLive)}
	out.keep(&out.stored.Packages, p)
	if m.Hash == "" {
		out.stored.Hash = p.Hash
	}
	out.activity = activity.NewCode(withHash(p, out.stored.Hash), r.activityOptions(projectID))
	if out.export, out.unclear, err = exportOf(m.Name, out.activityFunctions); err != nil {
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

// compile tells the compiler's own trouble from the text's. packages is the hash of those to run
// with, "" for what the text imports now.
func (r *Runner) compile(ctx context.Context, s compile.Source, packages string) (*compile.Program, error) {
	if packages != "" {
		var err error
		if s.Packages, err = r.keptPackages(ctx, packages); err != nil {
			return nil, err
		}
	}
	p, err := r.cfg.Compiler.Compile(ctx, s)
	var bad *compile.Error
	if err != nil && !errors.As(err, &bad) {
		return nil, fmt.Errorf("%w: %w", errInfrastructure, err)
	}
	return p, err
}

// keptPackages gives the packages of a hash: those that are loaded, else those that were kept.
func (r *Runner) keptPackages(ctx context.Context, hash string) (*compile.Packages, error) {
	if p := r.cfg.Compiler.Packages(hash); p != nil {
		return p, nil
	}
	kept, err := r.cfg.Store.GetPackages(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInfrastructure, err)
	}
	return r.cfg.Compiler.LoadPackages(compile.StoredPackages{Hash: kept.Hash, Kind: compile.Kind(kept.Kind), Names: kept.Names, Code: kept.Code, Map: kept.Map})
}

// storedPackages is what the store keeps of packages.
func storedPackages(p compile.StoredPackages) StoredPackages {
	return StoredPackages{Hash: p.Hash, Kind: string(p.Kind), Names: p.Names, Code: p.Code, Map: p.Map}
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
		e.Message, e.File, e.Line, e.Column, e.More = bad.Message, bad.File, bad.Line, bad.Column, remarksOf(bad.More)
	case errors.As(err, &thrown):
		e.Message, e.File, e.Line, e.Column = thrown.Message, thrown.File, thrown.Line, thrown.Column
	}
	return e
}
