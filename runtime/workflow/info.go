package workflow

import (
	"errors"
	"strings"
	"time"

	"github.com/dop251/goja"
	enumspb "go.temporal.io/api/enums/v1"
	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"workflow-worker/runtime/workflow/protocol"
)

// create evaluates the module for this execution; called inside enter.
func (d *definition) create() error {
	v := d.in.machine
	r := v.vm.Runtime
	d.setRules(v)
	info, err := d.info()
	if err != nil {
		return err
	}
	flags := make([]any, len(d.flags))
	for i, f := range d.flags {
		flags[i] = f
	}
	_, err = v.sdk.create(goja.Undefined(), v.module, r.ToValue(d.export), r.ToValue(v.now.UnixMilli()), info, r.NewArray(flags...))
	return err
}

// info makes what workflowInfo() tells and doesn't change with the tasks. What has no value is
// there all the same, undefined.
func (d *definition) info() (goja.Value, error) {
	i := d.env.WorkflowInfo()
	b := d.in.machine.sdk.values.Build()
	text := func(name, value string) {
		b.Value(name, goja.Undefined())
		if value != "" {
			b.Set(name, value)
		}
	}
	millis := func(name string, value time.Duration) {
		b.Value(name, goja.Undefined())
		if value > 0 {
			b.Set(name, value.Milliseconds())
		}
	}
	b.Set("workflowId", i.WorkflowExecution.ID)
	b.Set("runId", i.WorkflowExecution.RunID)
	b.Set("workflowType", i.WorkflowType.Name)
	b.Set("taskQueue", i.TaskQueueName)
	b.Set("namespace", i.Namespace)
	b.Set("firstExecutionRunId", i.FirstRunID)
	b.Set("originalExecutionRunId", i.OriginalRunID)
	text("continuedFromExecutionRunId", i.ContinuedExecutionRunID)
	text("cronSchedule", i.CronSchedule)
	millis("cronScheduleToScheduleInterval", d.began.GetFirstWorkflowTaskBackoff().AsDuration())
	b.Set("startTime", i.WorkflowStartTime.UnixMilli())
	b.Set("runStartTime", d.env.Now().UnixMilli())
	millis("executionTimeoutMs", i.WorkflowExecutionTimeout)
	b.Value("executionExpirationTime", goja.Undefined())
	if expires := d.began.GetWorkflowExecutionExpirationTime(); expires != nil && expires.AsTime().Unix() > 0 {
		b.Set("executionExpirationTime", expires.AsTime().UnixMilli())
	}
	millis("runTimeoutMs", i.WorkflowRunTimeout)
	if d.began.GetWorkflowRunTimeout() != nil && i.WorkflowRunTimeout == 0 && d.keeps(ruleEmpties) {
		b.Set("runTimeoutMs", 0) // of a child and of a continued run
	}
	b.Set("taskTimeoutMs", i.WorkflowTaskTimeout.Milliseconds())
	b.Set("attempt", i.Attempt)
	for _, name := range []string{"parent", "root", "retryPolicy", "currentDeploymentVersion"} {
		b.Value(name, goja.Undefined())
	}
	if p := i.ParentWorkflowExecution; p != nil {
		b.Plain("parent", protocol.Named("workflowId", p.ID), protocol.Named("runId", p.RunID), protocol.Named("namespace", i.ParentWorkflowNamespace))
	}
	if root := i.RootWorkflowExecution; root != nil && root.RunID != i.WorkflowExecution.RunID {
		b.Plain("root", protocol.Named("workflowId", root.ID), protocol.Named("runId", root.RunID))
	}
	if p := i.RetryPolicy; p != nil {
		b.Plain("retryPolicy", d.retryPolicy(p)...)
	}
	var priority []protocol.Property
	if p := i.Priority; p != (temporal.Priority{}) {
		priority = []protocol.Property{protocol.Named("priorityKey", p.PriorityKey), protocol.Named("fairnessKey", p.FairnessKey), protocol.Named("fairnessWeight", p.FairnessWeight)}
	}
	b.Plain("priority", priority...)
	return b.Made()
}

func (d *definition) retryPolicy(p *temporal.RetryPolicy) []protocol.Property {
	names := make([]any, len(p.NonRetryableErrorTypes))
	for i, n := range p.NonRetryableErrorTypes {
		names[i] = n
	}
	out := []protocol.Property{protocol.Named("backoffCoefficient", p.BackoffCoefficient), protocol.Named("maximumAttempts", p.MaximumAttempts)}
	if p.MaximumInterval > 0 {
		out = append(out, protocol.Named("maximumInterval", p.MaximumInterval.Milliseconds()))
	}
	return append(out,
		protocol.Named("initialInterval", p.InitialInterval.Milliseconds()),
		protocol.Named("nonRetryableErrorTypes", d.in.machine.vm.Runtime.NewArray(names...)))
}

// begin tells the package what changes with each task; called inside enter.
func (d *definition) begin() error {
	v := d.in.machine
	r := v.vm.Runtime
	i := d.env.WorkflowInfo()
	d.setRules(v)
	_, err := v.sdk.begin(goja.Undefined(),
		r.ToValue(v.now.UnixMilli()),
		r.ToValue(i.GetCurrentHistoryLength()), r.ToValue(i.GetCurrentHistorySize()),
		r.ToValue(i.GetContinueAsNewSuggested()), suggestedReasons(r, i.GetContinueAsNewSuggestedReasons()),
		r.ToValue(i.GetTargetWorkerDeploymentVersionChanged()), r.ToValue(i.GetCurrentBuildID()),
		r.ToValue(d.replaying))
	return err
}

func suggestedReasons(r *goja.Runtime, reasons []workflow.ContinueAsNewSuggestedReason) goja.Value {
	if len(reasons) == 0 {
		return goja.Undefined()
	}
	var names []any
	for _, x := range reasons {
		names = append(names, screaming(enumspb.SuggestContinueAsNewReason(x).String()))
	}
	return r.NewArray(names...)
}

// screaming makes HISTORY_SIZE_TOO_LARGE of HistorySizeTooLarge.
func screaming(name string) string {
	var b strings.Builder
	for i, c := range name {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(c)
	}
	return strings.ToUpper(b.String())
}

// initialize makes the protocol's job with the execution's arguments, and lets the package finish
// setting up; called inside enter.
func (d *definition) initialize() (goja.Value, error) {
	v := d.in.machine
	i := d.env.WorkflowInfo()
	b := v.sdk.values.Build()
	b.List("arguments", d.input)
	b.Header(d.head)
	b.Payloads("lastCompletionResult", bindings.GetLastCompletionResult(d.env))
	if f := d.began.GetContinuedFailure(); f != nil {
		b.Failure("continuedFailure", f)
	}
	if fields := i.Memo.GetFields(); len(fields) > 0 {
		m, err := v.sdk.values.PayloadMap(fields, false)
		b.Check(err)
		o := v.vm.Runtime.NewObject()
		b.Check(o.Set("fields", m))
		b.Value("memo", o)
	}
	//nolint:staticcheck // the package converts the payloads itself
	if fields := i.SearchAttributes.GetIndexedFields(); len(fields) > 0 {
		m, err := v.sdk.values.PayloadMap(fields, true)
		b.Check(err)
		o := v.vm.Runtime.NewObject()
		b.Check(o.Set("indexedFields", m))
		b.Value("searchAttributes", o)
	}
	arguments, err := b.Made()
	if err != nil {
		return nil, err
	}
	job := v.vm.Runtime.NewObject()
	if err := errors.Join(job.Set("variant", "initializeWorkflow"), job.Set("initializeWorkflow", arguments)); err != nil {
		return nil, err
	}
	if _, err := v.sdk.initialize(goja.Undefined(), arguments); err != nil {
		return nil, d.in.thrown(err)
	}
	return job, nil
}
