package executions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/serviceerror"
	updatepb "go.temporal.io/api/update/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc/codes"

	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/executions/temporal"
	"workflow-worker/reconcile/rows"
)

// asked is a request about an execution that has begun.
type asked struct {
	*Requests
	rows.ExecutionRequest
	x   rows.OpenExecution
	run string // that it goes to
}

// errAccepted says that an update was accepted, and has no result yet.
var errAccepted = errors.New("accepted")

func (a *asked) act(ctx context.Context) (*string, error) {
	ctx, cancel := context.WithTimeout(ctx, temporal.CallTimeout)
	defer cancel()
	switch a.Action {
	case rows.AskCancel:
		_, err := a.Temporal.RequestCancelWorkflowExecution(ctx, &workflowservice.RequestCancelWorkflowExecutionRequest{
			Namespace: a.Namespace, WorkflowExecution: a.execution(""), FirstExecutionRunId: a.x.FirstRunID,
			Identity: a.identity(), RequestId: a.ID, Reason: a.Reason,
		})
		return nil, err
	case rows.AskTerminate:
		_, err := a.Temporal.TerminateWorkflowExecution(ctx, &workflowservice.TerminateWorkflowExecutionRequest{
			Namespace: a.Namespace, WorkflowExecution: a.execution(""), FirstExecutionRunId: a.x.FirstRunID, Identity: a.identity(), Reason: a.Reason,
		})
		if err != nil && a.Again && temporal.Missing(err) {
			err = nil // the first time did it
		}
		return nil, a.noticed(err)
	case rows.AskPause:
		_, err := a.Temporal.PauseWorkflowExecution(ctx, &workflowservice.PauseWorkflowExecutionRequest{
			Namespace: a.Namespace, WorkflowId: a.x.TemporalID, RunId: a.run, Identity: a.identity(), Reason: a.Reason, RequestId: a.ID,
		})
		return nil, a.noticed(able(err))
	case rows.AskUnpause:
		_, err := a.Temporal.UnpauseWorkflowExecution(ctx, &workflowservice.UnpauseWorkflowExecutionRequest{
			Namespace: a.Namespace, WorkflowId: a.x.TemporalID, RunId: a.run, Identity: a.identity(), Reason: a.Reason, RequestId: a.ID,
		})
		return nil, a.noticed(able(err))
	case rows.AskSignal:
		return nil, a.signal(ctx)
	case rows.AskUpdate:
		return a.update(ctx)
	case rows.AskQuery:
		return a.query(ctx)
	case rows.AskReset:
		return a.reset(ctx)
	}
	return nil, refusalError{"there is no action " + a.Action}
}

// able says in words that the server doesn't know a call.
func able(err error) error {
	if temporal.CodeOf(err) == codes.Unimplemented {
		return refusalError{"this version of Temporal can't pause executions: " + err.Error()}
	}
	return err
}

// noticed has the row written soon after what no worker sees.
func (a *asked) noticed(err error) error {
	if err == nil {
		a.Sweeper.doubt(a.x.FirstRunID)
	}
	return err
}

func (a *asked) execution(run string) *commonpb.WorkflowExecution {
	return &commonpb.WorkflowExecution{WorkflowId: a.x.TemporalID, RunId: run}
}

// identity names the request in the history.
func (a *asked) identity() string { return a.Identity + " request " + a.ID }

// arguments are args: an array is several.
func (a *asked) arguments() (*commonpb.Payloads, error) {
	if a.ArgsBytes > maxInput {
		return nil, refusalError{fmt.Sprintf("args are %d bytes, Temporal takes no more than %d", a.ArgsBytes, maxInput)}
	}
	if a.Args == nil {
		return nil, nil //nolint:nilnil // no arguments
	}
	all := []json.RawMessage{json.RawMessage(*a.Args)}
	if strings.HasPrefix(*a.Args, "[") {
		if err := json.Unmarshal([]byte(*a.Args), &all); err != nil {
			return nil, refusalError{"args: " + err.Error()}
		}
	}
	p := &commonpb.Payloads{}
	for _, one := range all {
		p.Payloads = append(p.Payloads, shown.Payload(one))
	}
	return p, nil
}

// aim notes the run before anything goes there: whoever takes the request up again knows where it
// may have gone. There the server tells a second time by the request's id; elsewhere it doesn't.
func (a *asked) aim(ctx context.Context) error {
	if a.RunID == a.run {
		return nil
	}
	return rows.NoteRequestRun(ctx, a.DB, a.ID, a.run)
}

func (a *asked) signal(ctx context.Context) error {
	if a.Name == "" {
		return refusalError{"a signal needs a name"}
	}
	args, err := a.arguments()
	if err != nil {
		return err
	}
	if a.Again && a.RunID != "" && a.RunID != a.run {
		if there, err := a.signalled(ctx); err != nil || there {
			return err
		}
	}
	if err := a.aim(ctx); err != nil {
		return err
	}
	_, err = a.Temporal.SignalWorkflowExecution(ctx, &workflowservice.SignalWorkflowExecutionRequest{
		Namespace: a.Namespace, WorkflowExecution: a.execution(a.run), SignalName: a.Name, Input: args, Identity: a.identity(), RequestId: a.ID,
	})
	if temporal.Missing(err) {
		if newest, again := a.newestRun(ctx, a.x); again == nil && newest != a.run {
			return errLater // it went on as another run meanwhile
		}
		if a.Again {
			if there, other := a.signalled(ctx); other != nil || there {
				return other // the run that has the signal has ended since
			}
		}
	}
	return err
}

// signalled looks in the history of the run that the signal may have gone to.
func (a *asked) signalled(ctx context.Context) (there bool, err error) {
	err = a.events(ctx, a.RunID, func(e *historypb.HistoryEvent) {
		s := e.GetWorkflowExecutionSignaledEventAttributes()
		there = there || s != nil && strings.HasSuffix(s.GetIdentity(), " request "+a.ID)
	})
	return there, err
}

// events goes through a run's history.
func (a *asked) events(ctx context.Context, run string, each func(*historypb.HistoryEvent)) error {
	q := &workflowservice.GetWorkflowExecutionHistoryRequest{Namespace: a.Namespace, Execution: a.execution(run), MaximumPageSize: 1000}
	for {
		answer, err := a.Temporal.GetWorkflowExecutionHistory(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range answer.GetHistory().GetEvents() {
			each(e)
		}
		if q.NextPageToken = answer.GetNextPageToken(); len(q.NextPageToken) == 0 {
			return nil
		}
	}
}

func (a *asked) update(ctx context.Context) (*string, error) {
	if a.Name == "" {
		return nil, refusalError{"an update needs a name"}
	}
	args, err := a.arguments()
	if err != nil {
		return nil, err
	}
	if a.Again && a.RunID != "" && a.RunID != a.run { // the run that it went to has ended
		there := *a
		there.run = a.RunID
		result, err := there.updateResult(ctx)
		if _, final := refusal(err); err == nil || !temporal.Missing(err) && final {
			return result, err
		}
	}
	if err := a.aim(ctx); err != nil {
		return nil, err
	}
	answer, err := a.Temporal.UpdateWorkflowExecution(ctx, &workflowservice.UpdateWorkflowExecutionRequest{
		Namespace: a.Namespace, WorkflowExecution: a.execution(a.run), FirstExecutionRunId: a.x.FirstRunID,
		WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED},
		Request: &updatepb.Request{
			Meta: &updatepb.Meta{UpdateId: a.ID, Identity: a.identity()}, Input: &updatepb.Input{Name: a.Name, Args: args},
		},
	})
	switch {
	case err == nil && answer.GetOutcome() != nil:
		return a.outcome(ctx, answer.GetOutcome())
	case err == nil && answer.GetStage() >= enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED:
		return nil, errAccepted
	case err != nil && !late(err):
		return nil, err
	case time.Since(a.StartedAt) > unstartedFor:
		return nil, refusalError{fmt.Sprintf("no worker accepted the update within %s; one that comes back may do so yet", unstartedFor)}
	}
	return nil, errLater
}

// updateResult waits a while for the result of an update that was accepted.
func (a *asked) updateResult(ctx context.Context) (*string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*temporal.CallTimeout)
	defer cancel()
	answer, err := a.Temporal.PollWorkflowExecutionUpdate(ctx, &workflowservice.PollWorkflowExecutionUpdateRequest{
		Namespace: a.Namespace, Identity: a.identity(),
		UpdateRef:  &updatepb.UpdateRef{WorkflowExecution: a.execution(a.run), UpdateId: a.ID},
		WaitPolicy: &updatepb.WaitPolicy{LifecycleStage: enumspb.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED},
	})
	if late(err) {
		return nil, errLater
	}
	if err != nil {
		return nil, err
	}
	if answer.GetOutcome() == nil {
		return nil, errLater
	}
	return a.outcome(ctx, answer.GetOutcome())
}

func (a *asked) outcome(ctx context.Context, o *updatepb.Outcome) (*string, error) {
	if f := a.Failure(o.GetFailure()); f != nil {
		_, why, err := a.clean(ctx, nil, f)
		if err != nil {
			return nil, err
		}
		return nil, refusalError{why}
	}
	result, _, err := a.clean(ctx, shown.Values(o.GetSuccess(), a.MaxValue), nil)
	return result, err
}

// clean takes out of an answer what mustn't land.
func (a *asked) clean(ctx context.Context, result *string, f *shown.Failure) (*string, string, error) {
	told := []rows.ExecutionState{{ID: a.x.ID, CodeOf: a.x.WorkflowID, Output: result}}
	if f != nil {
		told[0].Message, told[0].Error = f.First(), f.JSON(a.MaxValue)
	}
	err := a.withhold(ctx, told)
	return told[0].Output, told[0].Message, err
}

func (a *asked) query(ctx context.Context) (*string, error) {
	if a.Name == "" {
		return nil, refusalError{"a query needs a name"}
	}
	args, err := a.arguments()
	if err != nil {
		return nil, err
	}
	answer, err := a.Temporal.QueryWorkflow(ctx, &workflowservice.QueryWorkflowRequest{
		Namespace: a.Namespace, Execution: a.execution(a.run), Query: &querypb.WorkflowQuery{QueryType: a.Name, QueryArgs: args},
	})
	if failed, ok := errors.AsType[*serviceerror.QueryFailed](err); ok {
		if a.HideFailures {
			failed.Message = shown.HiddenMessage
		}
		_, why, err := a.clean(ctx, nil, &shown.Failure{Type: "QueryFailed", Message: failed.Message})
		if err != nil {
			return nil, err
		}
		return nil, refusalError{why}
	}
	if late(err) {
		return nil, refusalError{fmt.Sprintf("no worker answered the query within %s", temporal.CallTimeout)}
	}
	if err != nil {
		return nil, err
	}
	result, _, err := a.clean(ctx, shown.Values(answer.GetQueryResult(), a.MaxValue), nil)
	return result, err
}

// late says that a call took too long.
func late(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || temporal.CodeOf(err) == codes.DeadlineExceeded
}

// resetTarget is what a reset goes back to.
type resetTarget struct {
	EventID int64 `json:"eventId"` // 0: as first says
	first   bool  // completed workflow task; else the last
}

// target reads it. What isn't understood is refused: a reset can't be taken back.
func (a *asked) target() (to resetTarget, err error) {
	switch a.Name {
	case "", "last":
	case "first":
		to.first = true
	default:
		return to, refusalError{fmt.Sprintf("a reset goes to the first or the last completed workflow task, or to an eventId in args: not to %q", a.Name)}
	}
	if a.Args == nil || *a.Args == "null" {
		return to, nil
	}
	if err := readStrictly("args", *a.Args, &to); err != nil {
		return to, refusalError{err.Error()}
	}
	if to.EventID <= 0 {
		return to, refusalError{"args of a reset have an eventId, of a completed workflow task"}
	}
	return to, nil
}

func (a *asked) reset(ctx context.Context) (*string, error) {
	to, err := a.target()
	if err != nil {
		return nil, err
	}
	if a.Again && a.RunID != "" {
		found, err := a.describe(ctx, a.Temporal, a.x.TemporalID, a.RunID)
		if err != nil {
			return nil, err
		}
		if run := found.GetWorkflowExtendedInfo().GetResetRunId(); run != "" {
			return a.resetTo(run), nil
		}
	}
	if to.EventID == 0 {
		err := a.events(ctx, a.run, func(e *historypb.HistoryEvent) {
			if e.GetWorkflowTaskCompletedEventAttributes() != nil && (to.EventID == 0 || !to.first) {
				to.EventID = e.GetEventId()
			}
		})
		if err != nil {
			return nil, err
		}
		if to.EventID == 0 {
			return nil, refusalError{"the execution has completed no workflow task that it could be reset to"}
		}
	}
	if err := a.aim(ctx); err != nil {
		return nil, err
	}
	answer, err := a.Temporal.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: a.Namespace, WorkflowExecution: a.execution(a.run), Reason: a.Reason, WorkflowTaskFinishEventId: to.EventID,
		RequestId: a.ID, Identity: a.identity(),
	})
	if err != nil {
		return nil, err
	}
	return a.resetTo(answer.GetRunId()), nil
}

// resetTo has the row follow the run that the reset made.
func (a *asked) resetTo(run string) *string {
	a.Follower.put(rows.ExecutionState{
		ID: a.x.ID, TemporalID: a.x.TemporalID, RunID: run, FirstRunID: a.x.FirstRunID, Status: rows.ExecutionRunning, Activities: -1,
	})
	return new(fmt.Sprintf(`{"runId": %q}`, run))
}
