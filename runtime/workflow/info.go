package workflow

import (
	"strings"
	"time"

	"github.com/dop251/goja"
	enumspb "go.temporal.io/api/enums/v1"
	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// create evaluates the module for this execution; called inside enter.
func (d *definition) create() error {
	v := d.in.vm
	r := v.box.Runtime
	v.now, v.box.EnglishOnly, v.box.FormerDates = d.env.Now(), d.englishOnly, !d.keeps(ruleDates)
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
	b := builder{v: d.in.vm, o: d.in.vm.box.Runtime.NewObject()}
	text := func(name, value string) {
		b.value(name, goja.Undefined())
		if value != "" {
			b.set(name, value)
		}
	}
	millis := func(name string, value time.Duration) {
		b.value(name, goja.Undefined())
		if value > 0 {
			b.set(name, value.Milliseconds())
		}
	}
	b.set("workflowId", i.WorkflowExecution.ID)
	b.set("runId", i.WorkflowExecution.RunID)
	b.set("workflowType", i.WorkflowType.Name)
	b.set("taskQueue", i.TaskQueueName)
	b.set("namespace", i.Namespace)
	b.set("firstExecutionRunId", i.FirstRunID)
	b.set("originalExecutionRunId", i.OriginalRunID)
	text("continuedFromExecutionRunId", i.ContinuedExecutionRunID)
	text("cronSchedule", i.CronSchedule)
	millis("cronScheduleToScheduleInterval", d.began.GetFirstWorkflowTaskBackoff().AsDuration())
	b.set("startTime", i.WorkflowStartTime.UnixMilli())
	b.set("runStartTime", d.env.Now().UnixMilli())
	millis("executionTimeoutMs", i.WorkflowExecutionTimeout)
	b.value("executionExpirationTime", goja.Undefined())
	if expires := d.began.GetWorkflowExecutionExpirationTime(); expires != nil && expires.AsTime().Unix() > 0 {
		b.set("executionExpirationTime", expires.AsTime().UnixMilli())
	}
	millis("runTimeoutMs", i.WorkflowRunTimeout)
	if d.began.GetWorkflowRunTimeout() != nil && i.WorkflowRunTimeout == 0 && d.keeps(ruleEmpties) {
		b.set("runTimeoutMs", 0) // of a child and of a continued run
	}
	b.set("taskTimeoutMs", i.WorkflowTaskTimeout.Milliseconds())
	b.set("attempt", i.Attempt)
	for _, name := range []string{"parent", "root", "retryPolicy", "currentDeploymentVersion"} {
		b.value(name, goja.Undefined())
	}
	if p := i.ParentWorkflowExecution; p != nil {
		b.plain("parent", property{"workflowId", p.ID}, property{"runId", p.RunID}, property{"namespace", i.ParentWorkflowNamespace})
	}
	if root := i.RootWorkflowExecution; root != nil && root.RunID != i.WorkflowExecution.RunID {
		b.plain("root", property{"workflowId", root.ID}, property{"runId", root.RunID})
	}
	if p := i.RetryPolicy; p != nil {
		b.plain("retryPolicy", d.retryPolicy(p)...)
	}
	var priority []property
	if p := i.Priority; p != (temporal.Priority{}) {
		priority = []property{{"priorityKey", p.PriorityKey}, {"fairnessKey", p.FairnessKey}, {"fairnessWeight", p.FairnessWeight}}
	}
	b.plain("priority", priority...)
	return b.o, b.err
}

func (d *definition) retryPolicy(p *temporal.RetryPolicy) []property {
	names := make([]any, len(p.NonRetryableErrorTypes))
	for i, n := range p.NonRetryableErrorTypes {
		names[i] = n
	}
	out := []property{{"backoffCoefficient", p.BackoffCoefficient}, {"maximumAttempts", p.MaximumAttempts}}
	if p.MaximumInterval > 0 {
		out = append(out, property{"maximumInterval", p.MaximumInterval.Milliseconds()})
	}
	return append(out,
		property{"initialInterval", p.InitialInterval.Milliseconds()},
		property{"nonRetryableErrorTypes", d.in.vm.box.Runtime.NewArray(names...)})
}

// begin tells the package what changes with each task; called inside enter.
func (d *definition) begin() error {
	v := d.in.vm
	r := v.box.Runtime
	i := d.env.WorkflowInfo()
	v.now, v.box.EnglishOnly, v.box.FormerDates = d.env.Now(), d.englishOnly, !d.keeps(ruleDates)
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
	v := d.in.vm
	i := d.env.WorkflowInfo()
	b := builder{v: v, o: v.box.Runtime.NewObject()}
	b.list("arguments", d.input)
	b.header(d.head)
	b.payloads("lastCompletionResult", bindings.GetLastCompletionResult(d.env))
	if f := d.began.GetContinuedFailure(); f != nil {
		b.failure("continuedFailure", f)
	}
	if fields := i.Memo.GetFields(); len(fields) > 0 {
		m, err := v.payloadMap(fields, false)
		b.check(err)
		o := v.box.Runtime.NewObject()
		b.check(o.Set("fields", m))
		b.value("memo", o)
	}
	//nolint:staticcheck // the package converts the payloads itself
	if fields := i.SearchAttributes.GetIndexedFields(); len(fields) > 0 {
		m, err := v.payloadMap(fields, true)
		b.check(err)
		o := v.box.Runtime.NewObject()
		b.check(o.Set("indexedFields", m))
		b.value("searchAttributes", o)
	}
	job := v.box.Runtime.NewObject()
	b.check(job.Set("variant", "initializeWorkflow"))
	b.check(job.Set("initializeWorkflow", b.o))
	if b.err != nil {
		return nil, b.err
	}
	if _, err := v.sdk.initialize(goja.Undefined(), b.o); err != nil {
		return nil, d.in.thrown(err)
	}
	return job, nil
}
