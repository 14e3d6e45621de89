package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/logkey"
	"workflow-worker/runtime/tracing"
)

// execute does what plan decided. Its error is the runner's, or that of a row
// without which it didn't go on; the record says what became of it.
func (r *Reconciler) execute(ctx context.Context, rec *record, s *rows.Snapshot, dec decision) error {
	if dec.action == actNothing || dec.action != actStop && r.closing() {
		return nil
	}
	rec.trace.told = true
	switch dec.action {
	case actStart:
		return r.start(ctx, rec, s, dec)
	case actReload:
		return r.reload(ctx, rec, s, dec)
	case actStop:
		rec.restartCause = ""
		if s.Forbidden() == "" && dec.cause != noCode && dec.cause != causeElsewhere {
			rec.restartCause = dec.cause
		}
		r.beginDrain(ctx, rec, dec.cause)
	}
	return nil
}

// errAttempt marks a failure that the record's failure describes.
var errAttempt = errors.New("attempt failed")

func (r *Reconciler) start(ctx context.Context, rec *record, s *rows.Snapshot, dec decision) error {
	if rec.restartCause != "" {
		dec.cause, rec.restartCause = rec.restartCause, ""
	}
	began := time.Now()
	rec.startedAt, rec.stoppedAt, rec.restart = began, time.Time{}, s.Restart
	if err := r.writeRecord(ctx, rec, s.TaskQueue, rows.StatusStarting); err != nil {
		return err
	}
	rec.uncertain = true // until it is over; a panic leaves it so
	begun, span := tracing.Child(ctx, dec.action.String())
	rep, err := r.runner.Start(begun, s.Project)
	span.FailIf(err, "failed")
	span.End()
	if err == nil && nothingLive(rep) {
		err = errNothingLive
	}
	if err != nil {
		if len(rep.Sources) > 0 {
			r.noteBroken(rec, rec.report, rep, false)
			rec.report = rep
		}
		rec.stoppedAt = time.Now()
		rec.failure = &failure{key: dec.attempt, text: failureText("start", rep, err), permanent: hopeless(rep)}
		r.noteFailure(rec, dec)
		r.settlePhase(ctx, rec) // a worker that came up all the same is stopped
		r.logFailure(ctx, rec, "a project can't start")
		return fmt.Errorf("%w: start project %s: %w", errAttempt, rec.id, err)
	}
	rec.uncertain = false
	rec.phase, rec.failure = running, nil
	before := rec.report
	rec.applied(s.Project, s.Sources, rep, s.LastLive)
	r.live(ctx, rec, dec, before)
	return nil
}

func (r *Reconciler) reload(ctx context.Context, rec *record, s *rows.Snapshot, dec decision) error {
	p, sources, err := r.withKept(ctx, rec, s, dec.keep)
	if err != nil {
		return err
	}
	p.Restore = rec.lost
	begun, span := tracing.Child(ctx, dec.action.String())
	rep, err := r.runner.Reload(begun, p)
	span.FailIf(err, "failed")
	span.End()
	if err != nil {
		rec.failure = &failure{key: dec.attempt, text: failureText("reload", runtime.Report{}, err)}
		rec.uncertain = true // it may have failed because the worker is gone
		r.noteFailure(rec, dec)
		r.logFailure(ctx, rec, "a project can't take its new code")
		return fmt.Errorf("%w: reload project %s: %w", errAttempt, rec.id, err)
	}
	rec.failure, rec.lost = nil, false
	before := rec.report
	rec.applied(p, sources, rep, s.LastLive)
	r.live(ctx, rec, dec, before)
	return nil
}

// withKept is the snapshot's project with the vanished sources that stay. They
// come last, so that a name which somebody else has taken is no longer theirs.
// Their texts are read from the store: what is live is there, and thousands of
// idle projects needn't keep them in memory for this.
func (r *Reconciler) withKept(ctx context.Context, rec *record, s *rows.Snapshot, keep []rows.Ref) (runtime.Project, []rows.Source, error) {
	p, sources := s.Project, s.Sources
	if len(keep) == 0 {
		return p, sources, nil
	}
	kept := map[rows.Ref]bool{}
	for _, k := range keep {
		kept[k] = true
	}
	var hashes []string
	for _, o := range rec.sources {
		if kept[o.Ref] {
			hashes = append(hashes, o.hash)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	texts, err := r.store.GetAll(ctx, rec.id, hashes)
	if err != nil {
		return p, nil, err
	}
	for _, o := range rec.sources {
		if !kept[o.Ref] {
			continue
		}
		text, ok := texts[o.hash]
		if !ok {
			r.log.WarnContext(ctx, "code that vanished can't stay live for its grace: its text is not in workflow_code_store",
				logkey.Project, rec.id, o.Kind, o.Name)
			continue
		}
		sh := rec.shells[o.Ref]
		if o.Kind == runtime.KindWorkflow {
			w := sh.workflow
			w.Version, w.Code, w.ActivitiesCode = text.Version, text.Code, text.ActivitiesCode
			p.Workflows = append(p.Workflows, w)
		} else {
			c := sh.component
			c.Code = text.Code
			p.Components = append(p.Components, c)
		}
		sources = append(sources, o.Source)
	}
	return p, sources, nil
}

// noteFailure notes an attempt that failed, the first time that it does.
func (r *Reconciler) noteFailure(rec *record, dec decision) {
	if rec.failedAttempt == dec.attempt || r.closing() {
		return
	}
	rec.failedAttempt = dec.attempt
	rec.note(rows.EventFailed, rec.failure.text, nil)
}

// waitLonger puts the next try of code that waits off, each time to twice as
// late: replaying histories isn't free, and executions may run for weeks.
func (rec *record) waitLonger() {
	const most = 4 // doublings: from half a minute to eight
	if rec.again.IsZero() {
		return
	}
	rec.tries = min(rec.tries+1, most)
	now := time.Now()
	rec.again = now.Add(rec.again.Sub(now) << rec.tries)
}

// noteBroken notes what turned out broken, and counts what the gate refused.
func (r *Reconciler) noteBroken(rec *record, before, after runtime.Report, again bool) {
	for range rec.noteBroken(before, after, again) {
		r.cfg.Observer.GateRefused(refusedEdit)
	}
}

// live notes what went live, where before was; of a reload after which the same code is live as
// before only what is wrong.
func (r *Reconciler) live(ctx context.Context, rec *record, dec decision, before runtime.Report) {
	if dec.action == actReload && len(changesBetween(before, rec.report)) == 0 {
		r.noteBroken(rec, before, rec.report, dec.cause == causeAgain || dec.cause == causeLost)
		if dec.cause == causeAgain {
			rec.waitLonger()
			return
		}
		rec.tries, rec.failedAttempt = 0, ""
		r.logProblems(ctx, rec)
		r.log.InfoContext(ctx, "no other code is live than before", logkey.Project, rec.id, logkey.Cause, dec.cause)
		return
	}
	dec.cause += notLive(before, rec.report)
	rec.tries = 0
	now := time.Now()
	took := now.Sub(rec.asked)
	rec.reload = &rows.ReloadState{
		At: now.UTC(), Action: dec.action.String(), Cause: rows.Bounded(dec.cause),
		Milliseconds: float64(took.Microseconds()) / 1000,
	}
	rec.failedAttempt = ""
	rec.noteLive(before, dec.action, *rec.reload)
	r.noteBroken(rec, before, rec.report, false)
	r.cfg.Observer.Reloaded(dec.action.String(), took)
	r.logProblems(ctx, rec)
	r.log.InfoContext(ctx, "code is live", logkey.Project, rec.id, logkey.Action, dec.action.String(), logkey.Cause, dec.cause, logkey.Took, took.Milliseconds())
}

// logProblems logs what isn't live as the rows want it.
func (r *Reconciler) logProblems(ctx context.Context, rec *record) {
	for _, b := range broken(rec.report) {
		r.log.WarnContext(ctx, "code is broken", logkey.Project, rec.id, b.Kind, b.Name, logkey.Error, b.Problem(), logkey.LiveVersion, b.Version)
	}
}

// notLive says which of the texts that are new didn't go live with the others; "" for none.
func notLive(before, after runtime.Report) string {
	old := map[rows.Ref]string{}
	for _, s := range broken(before) {
		old[rows.Ref{Kind: s.Kind, ID: s.ID}] = s.Error.Version + s.Problem()
	}
	changed := map[rows.Ref]bool{} // a workflow's activities_code may be what is broken
	for _, c := range changesBetween(before, after) {
		changed[rows.Ref{Kind: c.Kind, ID: c.ID}] = true
	}
	var names []string
	for _, s := range broken(after) {
		if r := (rows.Ref{Kind: s.Kind, ID: s.ID}); !changed[r] && old[r] != s.Error.Version+s.Problem() {
			names = append(names, s.Kind+" "+s.Name)
		}
	}
	const most = 3
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("%d more", len(names)-most))
	}
	if len(names) == 0 {
		return ""
	}
	return "; not live: " + strings.Join(names, ", ")
}

// beginDrain stops a project's worker on a goroutine of its own: draining may
// take as long as its longest activity, and the queue's workers are few. The
// pass that the end of it asks for goes on from there.
func (r *Reconciler) beginDrain(ctx context.Context, rec *record, cause string) {
	d := &drain{cause: cause, done: make(chan struct{})}
	rec.phase, rec.drain = stopping, d
	r.log.InfoContext(ctx, "stopping a project's worker", logkey.Project, rec.id, logkey.Cause, cause)
	r.drains.Go(func() {
		defer r.queue.hint(rec.id, time.Time{})
		defer close(d.done)
		d.err = r.runner.Stop(ctx, rec.id)
	})
}

// drained takes over the outcome of a drain. A worker that is still there is
// stopped again after a while: hence the error.
func (r *Reconciler) drained(ctx context.Context, rec *record) error {
	d := rec.drain
	rec.drain, rec.fingerprint = nil, ""
	if d.err != nil {
		r.quiet.Fail(ctx, "stop: "+d.err.Error(), "a worker didn't stop cleanly", d.err, logkey.Project, rec.id, logkey.Cause, d.cause)
		if slices.Contains(r.runner.Running(), rec.id) {
			rec.phase = running
			rec.failure = &failure{key: attemptStop, text: rows.Bounded(fmt.Sprintf("stop failed: %v", d.err))}
			return fmt.Errorf("%w: stop project %s: %w", errAttempt, rec.id, d.err)
		}
	}
	if rec.failure != nil && rec.failure.key == attemptStop {
		rec.failure = nil
	}
	rec.ended(time.Now())
	rec.note(rows.EventStopped, "stopped: "+d.cause, nil)
	r.log.InfoContext(ctx, "stopped a project's worker", logkey.Project, rec.id, logkey.Cause, d.cause)
	return nil
}

// attemptStop is the failure.key of a stop.
const attemptStop = "stop"

// errNothingLive is a start after which no workflow is served.
var errNothingLive = errors.New("none of its workflows can run")

// hopeless says whether a start failed for what the rows say, so that trying
// again is no use before they change.
func hopeless(rep runtime.Report) bool {
	any := false
	for _, s := range rep.Sources {
		if s.Kind != runtime.KindWorkflow {
			continue
		}
		if s.Error == nil {
			return false
		}
		any = true
	}
	return any && nothingLive(rep)
}

func failureText(what string, rep runtime.Report, err error) string {
	if hopeless(rep) {
		for _, s := range rep.Sources {
			if s.Kind == runtime.KindWorkflow {
				return rows.Bounded(errNothingLive.Error() + ": " + s.Problem())
			}
		}
	}
	return rows.Bounded(fmt.Sprintf("%s failed: %v", what, err))
}

// logFailure is quiet about many projects that fail for one reason.
func (r *Reconciler) logFailure(ctx context.Context, rec *record, msg string) {
	if r.closing() {
		return
	}
	r.quiet.Fail(ctx, msg+": "+rec.failure.text, msg, errors.New(rec.failure.text), logkey.Project, rec.id)
}
