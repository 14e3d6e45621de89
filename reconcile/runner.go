package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"workflow-worker/runtime"
	"workflow-worker/runtime/logkey"
)

// boundedRunner is a runner whose calls end: each has its time, a start or reload is given up when
// the shutdown begins, for what comes up then would only have to be stopped, and a panic is an error
// like any other.
type boundedRunner struct {
	Runner
	open                       context.Context // ends when the shutdown begins
	startTimeout, checkTimeout time.Duration
	log                        *slog.Logger
}

func (b boundedRunner) Start(ctx context.Context, p runtime.Project) (runtime.Report, error) {
	return b.apply(ctx, b.Runner.Start, p)
}

func (b boundedRunner) Reload(ctx context.Context, p runtime.Project) (runtime.Report, error) {
	return b.apply(ctx, b.Runner.Reload, p)
}

func (b boundedRunner) apply(ctx context.Context, call func(context.Context, runtime.Project) (runtime.Report, error),
	p runtime.Project,
) (rep runtime.Report, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.startTimeout)
	defer cancel()
	ctx, giveUp := context.WithCancelCause(ctx)
	defer context.AfterFunc(b.open, func() { giveUp(errClosing) })()
	defer recovered(ctx, b.log, p.ID, &err)
	return call(ctx, p)
}

func (b boundedRunner) Stop(ctx context.Context, id string) (err error) {
	defer recovered(ctx, b.log, id, &err)
	return b.Runner.Stop(ctx, id)
}

func (b boundedRunner) Check(ctx context.Context, id string, c runtime.Check) (_ runtime.CheckResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.checkTimeout)
	defer cancel()
	defer recovered(ctx, b.log, id, &err)
	return b.Runner.Check(ctx, id, c)
}

// recovered, deferred, makes an error of a panic: what one project does must not end the process.
func recovered(ctx context.Context, log *slog.Logger, id string, err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("panic: %v", v)
		stack := string(debug.Stack())
		log.ErrorContext(ctx, "a panic in the work on a project", logkey.ID, "project.panic", logkey.Project, id, logkey.Error, *err, logkey.Stack, stack[:min(len(stack), 4000)])
	}
}
