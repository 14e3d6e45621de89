package workflow

import (
	"context"
	"errors"
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest/race"
	"workflow-worker/runtime/workflow/wire"
)

func TestFitsSaysWhereAHistoryAndCodePart(t *testing.T) {
	race.AtSpeed(t)
	t.Parallel()
	p := patientProject(t, `
const { echo, hang } = proxyActivities<any>({ startToCloseTimeout: '10s' });
export async function run() { await echo('a'); await echo('b'); await sleep(1); await hang(); }`)
	run := p.start("run")
	p.until("it hangs", func() bool { return strings.Count(p.events(run), "ActivityTaskScheduled") == 3 })
	h := p.history(run)
	x := wire.RunInfo{ID: run.GetID(), RunID: run.GetRunID(), Type: "run"}
	fits := func(ctx context.Context, body string) error {
		code := NewCode(p.compiled(`const { echo, hang, other } = proxyActivities<any>({ startToCloseTimeout: '10s' });
			export async function run() { `+body+` }`), CodeOptions{})
		defer code.Close()
		return CheckReplay(ctx, p.opts, x, h, code, "run")
	}
	for body, want := range map[string]string{
		`await echo('a'); await echo('b'); await sleep(1); await hang();`:                        "",
		`await echo('other arguments'); await echo('b'); await sleep(2); await hang(); await 1;`: "",
		// What the last task did counts, though nothing has followed on it.
		`await echo('a'); await echo('b'); await sleep(1); await other();`:                         "the history has ActivityTaskScheduled hang, and the code does ScheduleActivityTask other",
		`await echo('a'); await echo('b'); await sleep(1);`:                                        "event 23: the history has an activity, and the code doesn't schedule it",
		`await echo('a'); await echo('b'); await sleep(1); await Promise.all([hang(), sleep(5)]);`: "the code does StartTimer, and the history hasn't got it",
		`await echo('a'); await other('b'); await sleep(1); await hang();`:                         "the history has ActivityTaskScheduled echo, and the code does ScheduleActivityTask other",
		`await echo('a'); await sleep(1); await hang();`:                                           "event",
		`throw new TypeError('no');`:                                                               "TypeError: no",
		`for (;;) {}`:                                                                              "JavaScript",
	} {
		err := fits(t.Context(), body)
		var m *Misfit
		switch {
		case want == "":
			if err != nil {
				t.Errorf("%s: %v", body, err)
			}
		case !errors.As(err, &m) || m.EventID == 0 || !strings.Contains(m.Error(), want):
			t.Errorf("%s: %v; want %q with its event", body, err, want)
		default:
			e := h.GetEvents()[m.EventID-1]
			t.Logf("%-70.70s %s (%s)", body, m, e.GetEventType())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var m *Misfit
	if err := fits(ctx, `await echo('a');`); err == nil || errors.As(err, &m) {
		t.Errorf("without time: %v", err)
	}
	if err := p.c.TerminateWorkflow(t.Context(), run.GetID(), "", ""); err != nil {
		t.Fatal(err)
	}
}
