package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	sdkactivity "go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/activities"
	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/build"
	"workflow-worker/runtime/tracing"
	"workflow-worker/runtime/workflow"
)

// execute is the one activity of every worker. The type is looked up now: the project's components,
// the built-in activities, the placeholders of its workflow rows, what only the calling execution's
// own code had, and last the component named "default".
func (p *project) execute(ctx context.Context, args converter.EncodedValues) (*commonpb.Payloads, error) {
	input := &commonpb.Payloads{}
	if args.HasValues() { // Get fails without
		if err := args.Get(&input); err != nil {
			return nil, err
		}
	}
	return p.call(ctx, sdkactivity.GetInfo(ctx).ActivityType.Name, input)
}

// call runs one attempt of an activity, an ordinary or a local one.
func (p *project) call(ctx context.Context, name string, input *commonpb.Payloads) (*commonpb.Payloads, error) {
	call, counted, err := p.resolve(ctx, name)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	result, err := call(ctx, input)
	if !errors.Is(err, sdkactivity.ErrResultPending) {
		p.r.cfg.Activities.ActivityExecuted(p.id, counted, time.Since(began), err != nil)
		p.r.cfg.Usage.ProjectTaskEnded(p.id, err != nil)
	}
	return result, err
}

// local runs one attempt of a local activity.
func (p *project) local(ctx context.Context, a workflow.LocalActivity, input *commonpb.Payloads) (*commonpb.Payloads, error) {
	return p.call(activity.WithLocal(ctx, activity.Local{
		ID: a.ID, StartToClose: a.StartToClose, ScheduleToClose: a.ScheduleToClose, Retry: a.Retry,
	}), a.Name, input)
}

// missingActivity says that nobody has an activity, and what there is; nil if somebody has.
func (p *project) missingActivity(name, code string) error {
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), pinnedHashKey{}, code), missingTimeout)
	defer cancel()
	_, _, err := p.resolve(ctx, name)
	var unknown *temporal.ApplicationError
	if errors.As(err, &unknown) {
		return errors.New(unknown.Message()) // without the SDK's attributes
	}
	return err
}

// missingTimeout bounds a look for code that the caller runs on: usually it is at hand.
const missingTimeout = time.Second

// activityFunc runs an attempt.
type activityFunc func(context.Context, *commonpb.Payloads) (*commonpb.Payloads, error)

// resolve finds what an activity type means now, and under which name its attempts are counted: the
// dynamic activity may be called by any name, and names that callers make up must not fill the
// statistics.
func (p *project) resolve(ctx context.Context, name string) (run activityFunc, counted string, err error) {
	l := p.live.Load()
	if problem, ok := l.broken[name]; ok {
		return fails(problem), name, nil
	}
	if t, ok := l.activities[name]; ok {
		return p.named(t), name, nil
	}
	if slices.Contains(p.builtIn.Names(), name) {
		return func(ctx context.Context, input *commonpb.Payloads) (*commonpb.Payloads, error) {
			return p.builtIn.Execute(ctx, name, input)
		}, name, nil
	}
	if t, ok := l.placeholders[name]; ok {
		return p.named(t), name, nil
	}
	if hash := pinnedHash(ctx); hash != "" {
		// The error doesn't matter: what counts is that nobody has the activity.
		if m, err := p.pinned(ctx, hash); err == nil && slices.Contains(m.ActivityFunctions, name) {
			return p.named(activityTarget{m.Activity, name}), name, nil
		}
	}
	if l.dynamic != nil {
		return p.named(*l.dynamic), build.DynamicRow, nil
	}
	known := append(names(l.activities), names(l.placeholders)...)
	unknown := &UnknownTypeError{Kind: "activity", Type: name, Known: append(known, p.builtIn.Names()...)}
	return nil, "", temporal.NewApplicationError(unknown.Error(), activities.NotFoundErrorType)
}

// named runs an activity function, and has its failure name the code.
func (p *project) named(t activityTarget) activityFunc {
	return func(ctx context.Context, input *commonpb.Payloads) (*commonpb.Payloads, error) {
		result, err := t.execute(ctx, input)
		if err != nil && !errors.Is(err, sdkactivity.ErrResultPending) && sdkactivity.IsActivity(ctx) {
			if info := sdkactivity.GetInfo(ctx); !info.IsLocalActivity {
				p.r.cfg.Tasks.ActivityFailed(info.TaskToken, t.title())
			}
		}
		return result, err
	}
}

type pinnedHashKey struct{}

func pinnedHash(ctx context.Context) string {
	hash, _ := ctx.Value(pinnedHashKey{}).(string)
	return hash
}

// codeHeader hands the hash and the trace in an activity's header, which is out of reach in the
// activity itself, on in its context.
type codeHeader struct {
	interceptor.WorkerInterceptorBase
	tracer    *tracing.Tracer
	projectID string
}

func (h *codeHeader) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &codeHeaderInbound{of: h}
	in.Next = next
	return in
}

type codeHeaderInbound struct {
	interceptor.ActivityInboundInterceptorBase
	of *codeHeader
}

func (c *codeHeaderInbound) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	var hash string
	if p, ok := interceptor.Header(ctx)[workflow.CodeHeader]; ok && json.Unmarshal(p.GetData(), &hash) == nil {
		ctx = context.WithValue(ctx, pinnedHashKey{}, hash)
	}
	if c.of.tracer == nil {
		return c.Next.ExecuteActivity(ctx, in)
	}
	return c.traced(ctx, in)
}

// traced runs an attempt within a span. Of its failure it tells the type: the message is the
// author's.
func (c *codeHeaderInbound) traced(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	info := sdkactivity.GetInfo(ctx)
	ctx, span := c.of.tracer.Activity(ctx, info.ActivityType.Name, interceptor.Header(ctx))
	defer span.End()
	span.Text(tracing.Project, c.of.projectID).Text(tracing.WorkflowID, info.WorkflowExecution.ID).Text(tracing.RunID, info.WorkflowExecution.RunID).
		Text(tracing.ActivityID, info.ActivityID).Number(tracing.Attempt, int(info.Attempt))
	result, err := c.Next.ExecuteActivity(ctx, in)
	if err != nil && !errors.Is(err, sdkactivity.ErrResultPending) {
		var thrown *temporal.ApplicationError
		why := "failed"
		if errors.As(err, &thrown) && thrown.Type() != "" {
			why = thrown.Type()
		}
		span.Fail(why)
	}
	return result, err
}

// fails is an activity that only fails. Trying again is no use before somebody mends the text.
func fails(problem string) func(context.Context, *commonpb.Payloads) (*commonpb.Payloads, error) {
	return func(context.Context, *commonpb.Payloads) (*commonpb.Payloads, error) {
		return nil, temporal.NewNonRetryableApplicationError(problem, activity.LoadErrorType, nil)
	}
}
