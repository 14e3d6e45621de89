package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

// temporalDouble knows executions as its test says, and remembers the questions.
type temporalDouble struct {
	mu    sync.Mutex
	open  []time.Time // when the open executions began
	err   error
	asked []question
	begun map[string]int64     // by workflow type: open executions, for CountBegun
	well  map[string]bool      // by run id: executions that get on
	ended map[string]time.Time // by run id: closed executions; zero: unknown to Temporal
}

func (d *temporalDouble) CountBegun(_ context.Context, _ string, types []string, _, _ time.Time) (n int64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range types {
		n += d.begun[t]
	}
	return n, d.err
}

func (d *temporalDouble) Closed(_ context.Context, e replay.Execution) (at time.Time, known bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, over := d.ended[e.RunID]
	return at, !over || !at.IsZero(), d.err
}

// Failing says so of executions that are neither in ended nor in well.
func (d *temporalDouble) Failing(_ context.Context, e replay.Execution) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, over := d.ended[e.RunID]
	return !over && !d.well[e.RunID], d.err
}

type question struct {
	queues          []string
	started, closed time.Time
}

func (d *temporalDouble) Count(_ context.Context, queues []string, started, closed time.Time) (n int64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, question{queues, started, closed})
	for _, at := range d.open {
		if at.Before(started) {
			n++
		}
	}
	return n, d.err
}

func (d *temporalDouble) set(err error, open ...time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err, d.open = err, open
}

func (d *temporalDouble) last() question {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.asked) == 0 {
		return question{}
	}
	return d.asked[len(d.asked)-1]
}

// tidy is a replica at work whose clean-ups are the test's to call: its own wait
// for an hour. What is superseded may go a microsecond later.
func (h *house) tidy(d *temporalDouble) *replica {
	h.T.Helper()
	return h.tidying(d).start()
}

func (h *house) tidying(d *temporalDouble, configure ...func(*Config)) *replica {
	h.T.Helper()
	r := h.replica(append(configure, func(c *Config) {
		c.Executions, c.CodeInterval, c.CodeRetention = d, time.Hour, -1
	})...)
	r.cfg.CodeMargin = time.Microsecond
	return r
}

// cleansUp twice, each time as if it were all due: what is found superseded is
// old enough the second time.
func (r *replica) cleansUp() error {
	r.h.T.Helper()
	var errs []error
	for range 2 {
		r.h.Exec(`UPDATE workflow_code_store SET checked_at = NULL`)
		errs = append(errs, newCodeCleaner(r.Reconciler).CleanUp(r.h.T.Context()))
	}
	return errors.Join(errs...)
}

func (r *replica) mustCleanUp() {
	r.h.T.Helper()
	if err := r.cleansUp(); err != nil {
		r.h.T.Error(err)
	}
}

func (h *house) stored() []string {
	h.T.Helper()
	return one[[]string](h, `SELECT coalesce(array_agg(workflow_code ORDER BY workflow_code), '{}') FROM workflow_code_store`)
}

func (h *house) stores(texts ...string) {
	h.T.Helper()
	if got := h.stored(); !slices.Equal(got, texts) {
		h.T.Errorf("the store has %q, want %q", got, texts)
	}
}

// reloaded gives a workflow another text and waits until its row says so.
func (r *replica) reloaded(p, w, text string) {
	r.h.T.Helper()
	r.h.Exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE workflow_id = $1`, w, text)
	r.LookAt(p, time.Now())
	r.isServing(p, w, text)
	r.quietDown()
}

func TestSupersededCodeGoesWhenNoExecutionNeedsIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	d := &temporalDouble{}
	r := h.tidy(d)
	r.isStatus(p, rows.StatusRunning)
	r.mustCleanUp()
	h.stores("v1")

	d.set(nil, time.Now())
	r.reloaded(p, w, "v2")
	r.mustCleanUp()
	h.stores("v1", "v2")
	if q := d.last(); !slices.Equal(q.queues, []string{"queue-" + p}) || !q.closed.IsZero() || time.Since(q.started) > time.Minute {
		t.Errorf("asked %+v", q)
	}

	// Those that began later are pinned to v2.
	d.set(nil, time.Now().Add(time.Minute))
	r.mustCleanUp()
	h.stores("v2")
}

func TestCodeStaysWhenInDoubt(t *testing.T) {
	t.Parallel()
	for name, doubt := range map[string]func(h *house, d *temporalDouble, r *replica, p, w string){
		"Temporal doesn't answer": func(_ *house, d *temporalDouble, _ *replica, _, _ string) { d.set(errors.New("down")) },
		"it was superseded a moment ago": func(_ *house, _ *temporalDouble, r *replica, _, _ string) {
			r.cfg.CodeMargin = time.Hour
		},
		"a replay used it a moment ago": func(h *house, _ *temporalDouble, r *replica, p, _ string) {
			r.cfg.CodeMargin = time.Hour
			h.Exec(`UPDATE workflow_code_store SET superseded_at = now() - interval '1 day', last_used_at = now() - interval '1 day' WHERE workflow_code = 'v1'`)
			r.store.Used(p, one[string](h, `SELECT hash FROM workflow_code_store WHERE workflow_code = 'v1'`))
		},
		"its task queue isn't known": func(h *house, _ *temporalDouble, _ *replica, p, _ string) {
			h.Exec(`UPDATE workflow_code_store SET task_queues = '{}'`)
			h.Exec(`DELETE FROM projects WHERE id = $1`, p)
		},
		"another replica has it live": func(h *house, _ *temporalDouble, _ *replica, p, _ string) {
			h.Exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status, metadata)
				SELECT 'other', $1, 'q', 'failed', jsonb_build_object('workflows', jsonb_build_array(jsonb_build_object('id', 'x', 'hash', hash)))
				FROM workflow_code_store WHERE workflow_code = 'v1'`, p)
		},
		"the row was put back": func(_ *house, _ *temporalDouble, r *replica, p, w string) { r.reloaded(p, w, "v1") },
		"its successor is broken": func(_ *house, _ *temporalDouble, r *replica, p, w string) {
			r.reloaded(p, w, "v1")
			r.h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'BROKEN' WHERE workflow_id = $1`, w)
			r.surveyed()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			p, w := h.Shop("v1")
			d := &temporalDouble{}
			r := h.tidy(d)
			r.isStatus(p, rows.StatusRunning)
			r.reloaded(p, w, "v2")
			doubt(h, d, r, p, w)
			if err := r.cleansUp(); err != nil && d.err == nil {
				t.Error(err)
			}
			if !slices.Contains(h.stored(), "v1") {
				t.Errorf("v1 is gone; the store has %q", h.stored())
			}
		})
	}
}

// A reset execution counts as begun at the reset, though its history, and with it the pin, is
// older: what tells is that its replay used the code.
func TestCodeOfAResetExecutionStays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	d := &temporalDouble{}
	r := h.tidy(d)
	r.isStatus(p, rows.StatusRunning)
	r.reloaded(p, w, "v2")
	if err := r.store.MarkSuperseded(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.set(nil, one[time.Time](h, `SELECT clock_timestamp()`)) // the reset
	r.store.Used(p, one[string](h, `SELECT hash FROM workflow_code_store WHERE workflow_code = 'v1'`))
	r.mustCleanUp()
	h.stores("v1", "v2")
	d.set(nil) // it ended
	r.mustCleanUp()
	h.stores("v2")
}

func TestClosedExecutionsKeepTheirCodeForTheRetention(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	d := &temporalDouble{}
	r := h.tidying(d)
	r.cfg.CodeRetention = time.Hour
	r.start()
	r.isStatus(p, rows.StatusRunning)
	r.reloaded(p, w, "v2")
	r.mustCleanUp()
	if q := d.last(); time.Since(q.closed).Round(time.Minute) != time.Hour {
		t.Errorf("asked for those closed since %v", q.closed)
	}
}

func TestCodeOfDeletedProjectsAndOldQueuesIsAskedAboutThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	d := &temporalDouble{}
	d.set(nil, time.Time{})
	r := h.tidy(d)
	r.isStatus(p, rows.StatusRunning)
	h.Exec(`UPDATE projects SET task_queue_name = 'renamed' WHERE id = $1`, p)
	r.LookAt(p, time.Now())
	eventually(t, func() error { return expect(r.isStatus(p, rows.StatusRunning).queue, "renamed") })
	h.Exec(`DELETE FROM projects WHERE id = $1`, p)
	r.surveyed()
	eventually(t, func() error { return expect(len(r.runner.Running()), 0) })
	r.mustCleanUp()
	h.stores("v1")
	queues := slices.Sorted(slices.Values(d.last().queues))
	if !slices.Equal(queues, []string{"queue-" + p, "renamed"}) {
		t.Errorf("asked about %v", queues)
	}
	d.set(nil)
	r.mustCleanUp()
	h.stores()
}

func TestSupersededComponentsGoWithoutAQuestion(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	c := h.Component(p, "score", "c1")
	d := &temporalDouble{}
	d.set(nil, time.Time{})
	r := h.tidy(d)
	r.isServing(p, c, "c1")
	h.Exec(`UPDATE components SET implementation_code = 'c2' WHERE id = $1`, c)
	r.LookAt(p, time.Now())
	r.isServing(p, c, "c2")
	r.quietDown()
	r.mustCleanUp()
	h.stores("c2", "v1")
}

func TestCleanUpsRunByThemselvesAndSayWhatTheyDid(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	lines := &logLines{}
	r := h.work(func(c *Config) {
		// The margin is longer than it takes from a text's storing to the note that it is live.
		c.Executions, c.CodeMargin, c.CodeInterval, c.CodeRetention = &temporalDouble{}, 3*time.Second, 20*time.Millisecond, -1
		c.Logger = lines.logger()
	})
	r.isStatus(p, rows.StatusRunning)
	r.reloaded(p, w, "v2")
	eventually(t, func() error { return expect(fmt.Sprint(h.stored()), "[v2]") })
	eventually(t, func() error { return expect(lines.count("removed superseded code"), 1) })
	if err := r.store.Put(t.Context(), p, []runtime.StoredModule{{Hash: "h", Kind: runtime.KindWorkflow, Code: "v3"}}); err != nil {
		t.Error(err)
	}
}
