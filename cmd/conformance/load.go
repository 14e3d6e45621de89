package main

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed cases/*.yaml
var caseFiles embed.FS

// helperActivities is a component of each group of workflows.
//
//go:embed cases/helpers.ts
var helperActivities string

var kebab = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// loadGroups reads all cases and checks that they can be run side by side.
func loadGroups() ([]*group, error) {
	entries, err := caseFiles.ReadDir("cases")
	if err != nil {
		return nil, err
	}
	var groups []*group
	var errs []error
	names := map[string]string{}
	for _, e := range entries {
		g, err := loadGroup(path.Join("cases", e.Name()))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, c := range g.Cases {
			if other, ok := names[c.Name]; ok {
				errs = append(errs, fmt.Errorf("%s: %s is in %s, too", g.file, c.Name, other))
			}
			names[c.Name] = g.file
		}
		groups = append(groups, g)
	}
	return groups, errors.Join(errs...)
}

func loadGroup(name string) (*group, error) {
	f, err := caseFiles.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	g := &group{file: path.Base(name)}
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(g); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if g.Kind != kindWorkflows && g.Kind != kindActivities {
		return nil, fmt.Errorf("%s: kind is %q", name, g.Kind)
	}
	var errs []error
	for _, c := range g.Cases {
		c.group = g
		if err := c.validate(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", name, c.Name, err))
		}
	}
	return g, errors.Join(append(errs, g.distinct())...)
}

func (c *testCase) validate() error {
	switch {
	case !kebab.MatchString(c.Name):
		return errors.New("its name is not in kebab case")
	case (c.Workflow == "") == (c.Activity == ""):
		return errors.New("it needs either a workflow or an activity")
	case c.Result.IsZero() && c.Failure.IsZero() && c.TaskFailure.IsZero() && c.Status == "":
		return errors.New("it says no outcome")
	}
	toggles := 0
	for _, s := range c.Steps {
		if s.Worker != "" {
			toggles++
		}
	}
	if c.group.Dormant && toggles == 0 {
		return errors.New("its group's worker waits for `worker: start`")
	}
	return nil
}

var exportedFunction = regexp.MustCompile(`(?m)(?:^|; )export (?:async )?function\*? (\w+)`)

// distinct checks that no two rows of the project export the same function or have the same name.
func (g *group) distinct() error {
	var errs []error
	rows, exports := map[string]bool{}, map[string]string{}
	row := func(name, text string) {
		if rows[name] {
			errs = append(errs, fmt.Errorf("%s: two rows are named %s", g.file, name))
		}
		rows[name] = true
		for _, m := range exportedFunction.FindAllStringSubmatch(text, -1) {
			if other, ok := exports[m[1]]; ok {
				errs = append(errs, fmt.Errorf("%s: %s and %s both export %s", g.file, other, name, m[1]))
			}
			exports[m[1]] = name
		}
	}
	for _, kind := range []string{kindWorkflows, kindActivities} {
		clear(rows)
		clear(exports)
		for name, text := range g.rowsOf(kind) {
			row(name, text)
		}
	}
	return errors.Join(errs...)
}

// rowsOf gives all workflow rows or all components of the group's project, by name. Twice the same
// name: the later counts, and distinct complains of what is between cases by their names being
// distinct.
func (g *group) rowsOf(kind string) map[string]string {
	out := map[string]string{}
	add := func(m map[string]string) {
		for name, text := range m {
			out[name] = text
		}
	}
	if kind == kindWorkflows {
		add(g.Rows)
	} else {
		if g.Kind == kindWorkflows {
			out["helpers"] = helperActivities
		}
		add(g.Components)
	}
	for _, c := range g.Cases {
		if kind == kindWorkflows {
			add(c.Rows)
		} else {
			add(c.Components)
		}
		if c.isActivity() == (kind == kindActivities) {
			out[c.Name] = c.text()
		}
	}
	return out
}

// text is the case's own row.
func (c *testCase) text() string {
	if c.isActivity() {
		return withImports(c.Activity, activityNames)
	}
	return withImports(c.Workflow, workflowNames)
}

var (
	hasImport = regexp.MustCompile(`(?m)^\s*import\b|\brequire\(|\bfrom\s*['"]`)
	words     = regexp.MustCompile(`\b[A-Za-z_]\w*\b`)
)

// importable are names that cases may use without an import.
type importable struct {
	module string
	names  []string
}

// withImports puts imports of the names that the text uses before its first line, on the same line.
func withImports(text string, from []importable) string {
	if hasImport.MatchString(text) {
		return text
	}
	used := map[string]bool{}
	for _, word := range words.FindAllString(text, -1) {
		used[word] = true
	}
	var out strings.Builder
	for _, i := range from {
		var names []string
		for _, name := range i.names {
			if used[name] {
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			fmt.Fprintf(&out, "import { %s } from '%s'; ", strings.Join(names, ", "), i.module)
		}
	}
	return out.String() + text
}

var (
	workflowNames = []importable{
		{"@temporalio/workflow", strings.Fields(`ActivityCancellationType ActivityFailure ApplicationFailure AsyncLocalStorage
			CancellationScope CancelledFailure ChildWorkflowCancellationType ChildWorkflowFailure ContinueAsNew
			DeterminismViolationError IllegalStateError NotAnActivityMethod ParentClosePolicy PayloadConverterError
			ServerFailure TemporalFailure TerminatedFailure TimeoutFailure Trigger ValueError WorkflowError
			WorkflowIdReusePolicy WorkflowIdConflictPolicy WorkflowNotFoundError allHandlersFinished condition continueAsNew
			createNexusServiceClient currentUpdateInfo defaultPayloadConverter defineQuery defineSignal defineUpdate
			defineWorkflowOptions deprecatePatch executeChild extractWorkflowType getCurrentDetails getExternalWorkflowHandle
			getRandomStream inWorkflowContext isCancellation log makeContinueAsNewFunc metricMeter patched proxyActivities
			proxyLocalActivities proxySinks rootCause scheduleActivity scheduleLocalActivity setCurrentDetails
			setDefaultQueryHandler setDefaultSignalHandler setDefaultUpdateHandler setHandler setWorkflowOptions sleep startChild
			upsertMemo upsertSearchAttributes uuid4 workflowInfo workflowRandom`)},
		{"@temporalio/common", strings.Fields(`ApplicationFailureCategory HandlerUnfinishedPolicy RawValue RetryState
			SearchAttributeType TimeoutType TypedSearchAttributes WorkflowExecutionAlreadyStartedError arrayFromPayloads
			defaultFailureConverter defineSearchAttributeKey ensureApplicationFailure ensureTemporalFailure errorCode errorMessage
			msToNumber msToTs toPayloads tsToMs`)},
	}
	activityNames = []importable{
		{"@temporalio/activity", strings.Fields(`ApplicationFailure CancelledFailure CompleteAsyncError Context activityInfo
			asyncLocalStorage cancellationDetails cancellationSignal cancelled getClient heartbeat log metricMeter sleep`)},
		{"@temporalio/common", strings.Fields(`ActivityCancellationDetails ApplicationFailureCategory TemporalFailure
			defaultPayloadConverter ensureApplicationFailure rootCause`)},
	}
)
