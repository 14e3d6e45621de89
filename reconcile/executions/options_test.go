package executions

import (
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/workflow/wire"
)

func TestOptionsAreWhatTheClientsStartTakes(t *testing.T) {
	t.Parallel()
	b := &Base{Namespace: "n", Identity: "i"}
	row := func(options string) rows.Start {
		return rows.Start{ID: "row", KebabName: "order-intake", TaskQueue: "q", TemporalID: "x", Input: new(`{"a": 1}`), Options: &options}
	}
	q, _, err := b.startRequest(row(`{"type": "orderIntake", "args": [1, "two"], "workflowIdReusePolicy": "allow-duplicate", "workflowIdConflictPolicy": "USE_EXISTING",
		"workflowExecutionTimeout": "1 hour", "workflowRunTimeout": 1500, "workflowTaskTimeout": "10s", "startDelay": "2m", "cronSchedule": "* * * * *",
		"retry": {"initialInterval": "1s", "maximumAttempts": 3}, "memo": {"who": "me"}, "searchAttributes": {"CustomKeywordField": "k", "CustomIntField": 70.0}, "priority": {"priorityKey": 1}}`))
	if err != nil {
		t.Fatal(err)
	}
	if q.GetWorkflowType().GetName() != "orderIntake" || len(q.GetInput().GetPayloads()) != 2 || string(q.GetInput().GetPayloads()[1].GetData()) != `"two"` ||
		q.GetWorkflowIdReusePolicy() != enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE || q.GetWorkflowIdConflictPolicy() != enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING ||
		q.GetWorkflowExecutionTimeout().AsDuration() != time.Hour || q.GetWorkflowRunTimeout().AsDuration() != 1500*time.Millisecond ||
		q.GetWorkflowTaskTimeout().AsDuration() != 10*time.Second || q.GetWorkflowStartDelay().AsDuration() != 2*time.Minute || q.GetCronSchedule() == "" ||
		q.GetRetryPolicy().GetMaximumAttempts() != 3 || string(q.GetMemo().GetFields()["who"].GetData()) != `"me"` || string(q.GetMemo().GetFields()[wire.RowMemo].GetData()) != `"row"` ||
		string(q.GetSearchAttributes().GetIndexedFields()["CustomIntField"].GetData()) != "70" ||
		len(q.GetSearchAttributes().GetIndexedFields()) != 2 || q.GetPriority().GetPriorityKey() != 1 || exclusive(q) {
		t.Errorf("request %v", q)
	}
	plain, _, err := b.startRequest(rows.Start{ID: "row", KebabName: "order-intake", TaskQueue: "q", TemporalID: "x"})
	if err != nil || !exclusive(plain) || plain.GetWorkflowType().GetName() != "order-intake" || string(plain.GetInput().GetPayloads()[0].GetData()) != "{}" || plain.GetRequestId() != "row" {
		t.Errorf("request %v, %v", plain, err)
	}
	for options, want := range map[string]string{
		`[]`: "options can't be a JSON array", `{"retries": 1}`: "retries", `{"workflowRunTimeout": "soon"}`: "no duration",
		`{"workflowId": 7}`: "options.workflowId can't be a JSON number", `{"args": {}}`: "options.args can't be a JSON object",
		`{"WorkflowID": "x"}`: "WorkflowID", `{"retry": {"MaximumAttempts": 3}}`: "retry.MaximumAttempts", `{"retry": {"maximumAttempts": 1e10}}`: "options.retry.maximumAttempts",
		`{"workflowIdReusePolicy": "MAYBE"}`: "MAYBE", `{"workflowIdConflictPolicy": "UNSPECIFIED"}`: "UNSPECIFIED",
	} {
		if _, _, err := b.startRequest(row(options)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", options, err, want)
		}
	}
	for options, want := range map[string]enumspb.WorkflowIdReusePolicy{
		`null`: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, `{"workflowRunTimeout": null, "retry": null, "args": null}`: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		`{"workflowIdConflictPolicy": "TERMINATE_EXISTING"}`: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
	} {
		if q, _, err := b.startRequest(row(options)); err != nil || q.GetWorkflowIdReusePolicy() != want || q.GetWorkflowRunTimeout() != nil {
			t.Errorf("%s: %v, %v", options, q, err)
		}
	}
	large := row(`{}`)
	large.Input, large.InputBytes = nil, maxInput+1
	if _, _, err := b.startRequest(large); err == nil || !strings.Contains(err.Error(), "store") {
		t.Errorf("too large an input: %v", err)
	}
}
