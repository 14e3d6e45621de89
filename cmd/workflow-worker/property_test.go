package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack/stacktest"
)

// make test PKGS=./cmd/workflow-worker TESTFLAGS='-run RandomEdits -v -seed 1 -acts 200 -crowd 100
// -kill'
var (
	seed      = flag.Uint64("seed", 0, "of the random edits; 0: another each time")
	acts      = flag.Int("acts", load(50, 16), "random edits of each project")
	crowdSize = flag.Int("crowd", load(50, 8), "executions at once in each project while it is edited")
	waiting   = flag.Int("waiting", load(60, 8), "executions in each project beside them that wait until all is done")
	kill      = flag.Bool("kill", false, "end the process by SIGKILL while projects are edited, not by SIGTERM")
)

// Whatever is done to the rows, and to the process, while executions of all kinds run: each of them
// ends, with a result that the text explains which it began on; every run begins on a text that was
// current; and no task fails or times out, but those that would begin a workflow that isn't there,
// and those that died with the process or a worker that was stopped.
//
// Not parallel: with other tests beside it, tasks might time out for want of a processor.
func TestRandomEditsBreakNoExecution(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	db := stacktest.MigratedDatabase(t)
	settings := []string{"WORKFLOW_CACHE_SIZE=30"} // so that executions are replayed all the time
	s := startService(t, db, settings...)
	b := newBuilder(t, db)
	editors := []*editor{{name: "a gently treated project", acts: gentle}, {name: "a roughly treated project", acts: append(gentle, rough...)}}
	var all, half sync.WaitGroup
	for i, e := range editors {
		e.crowd, e.r = newCrowd(b, 10*time.Second), rand.New(rand.NewPCG(*seed, uint64(i)))
		stop := make(chan struct{})
		all.Go(func() { e.stream(*crowdSize, 0, *seed, stop) })
		all.Go(func() { e.linger(*waiting, ^*seed, stop) })
		half.Add(1)
		all.Go(func() {
			defer close(stop)
			func() {
				defer half.Done()
				e.edit(*acts / 2)
			}()
			e.edit(*acts - *acts/2)
			e.settle()
		})
	}
	half.Wait()
	end := syscall.SIGTERM
	if *kill {
		end = syscall.SIGKILL
	}
	s.stop(end)
	startService(t, db, settings...)
	all.Wait()
	for _, e := range editors {
		e.stream(len(kinds), len(kinds), *seed, nil) // which meet the last of everything
		runs := 0
		ok, excused := counted(e.excuse)
		for _, run := range e.runs {
			runs += e.explained(run, ok)
		}
		t.Logf("%s: %d executions, %d at once, %d runs, %d of them moved, %d texts, excused: %v", e.name, len(e.runs), e.most, runs, e.moved, e.stamped, excused)
		if t.Failed() {
			t.Logf("what was done:\n%s", e.plan.String())
		}
	}
}

// editor does random things to a crowd's rows.
type editor struct {
	*crowd
	name string
	acts []act
	r    *rand.Rand // decides what is done; the same seed does the same
	plan strings.Builder
}

// act is something that people do to rows, named for the report.
type act struct {
	name string
	do   func(e *editor, f *crowdFlow)
}

var gentle = []act{
	{"edit", func(e *editor, f *crowdFlow) { f.edit(true) }},
	{"edit until it is live", func(e *editor, f *crowdFlow) { f.edit(true); f.live() }},
	{"break", func(e *editor, f *crowdFlow) { f.edit(false) }},
	{"deactivate and insert in one transaction", func(e *editor, f *crowdFlow) { f.replace(replaceSQL) }},
	{"deactivate, then insert", func(e *editor, f *crowdFlow) { f.replace(deactivateSQL, insertSQL) }},
	{"insert, then deactivate", func(e *editor, f *crowdFlow) { f.replace(insertSQL, deactivateSQL) }},
	{"delete, then insert", func(e *editor, f *crowdFlow) { f.replace(deleteSQL, insertSQL); f.forgetOthers() }},
	{"roll back", func(e *editor, f *crowdFlow) { f.rollBack(e.r.IntN(len(f.rows))) }},
	{"clean old versions up", func(e *editor, f *crowdFlow) { f.exec(cleanSQL, f.id); f.forgetOthers() }},
	{"edit all workflows at once", func(e *editor, f *crowdFlow) { e.editAll() }},
	{"edit the component", func(e *editor, f *crowdFlow) { e.editComponent() }},
	{"break the component", func(e *editor, f *crowdFlow) {
		f.exec(`UPDATE components SET implementation_code = 'export async function (' WHERE id = $1`, e.compID)
	}},
}

var rough = []act{
	{"switch the workflow off and on", func(e *editor, f *crowdFlow) {
		f.exec(`UPDATE workflows SET is_active = false WHERE id = $1`, f.id)
		e.wait()
		f.exec(`UPDATE workflows SET is_active = true WHERE id = $1`, f.id)
	}},
	{"delete the workflow, then insert it", func(e *editor, f *crowdFlow) {
		f.exec(`DELETE FROM workflows WHERE id = $1`, f.id)
		e.wait()
		f.create()
	}},
	{"deactivate the component, then edit and activate it", func(e *editor, f *crowdFlow) {
		f.exec(`UPDATE components SET is_active = false WHERE id = $1`, e.compID)
		e.wait()
		e.editComponent()
	}},
	{"switch the project off and on", func(e *editor, f *crowdFlow) {
		f.exec(`UPDATE projects SET is_active = false WHERE id = $1`, e.project.id)
		e.wait()
		f.exec(`UPDATE projects SET is_active = true WHERE id = $1`, e.project.id)
	}},
	{"rename the task queue and back", func(e *editor, f *crowdFlow) {
		f.exec(`UPDATE projects SET task_queue_name = task_queue_name || '-other' WHERE id = $1`, e.project.id)
		e.wait()
		f.exec(`UPDATE projects SET task_queue_name = $2 WHERE id = $1`, e.project.id, e.taskQueue)
	}},
	{"ask for a restart", func(e *editor, f *crowdFlow) {
		f.exec(`INSERT INTO worker_requests (project_id, action) VALUES ($1, 'restart')`, e.project.id)
	}},
	{"ask for a stop and a start", func(e *editor, f *crowdFlow) {
		f.exec(`INSERT INTO worker_requests (project_id, action) VALUES ($1, 'stop')`, e.project.id)
		e.wait()
		f.exec(`INSERT INTO worker_requests (project_id, action) VALUES ($1, 'start')`, e.project.id)
	}},
}

const (
	insertSQL     = `INSERT INTO workflow_compiled_code (id, workflow_id, version, workflow_code) SELECT $2::uuid, $1, $3, $4`
	deactivateSQL = `UPDATE workflow_compiled_code SET is_active = false WHERE workflow_id = $1 AND id <> $2 AND is_active`
	deleteSQL     = `DELETE FROM workflow_compiled_code WHERE workflow_id = $1 AND id <> $2`
	replaceSQL    = `WITH old AS (` + deactivateSQL + `) ` + insertSQL
	cleanSQL      = `DELETE FROM workflow_compiled_code WHERE workflow_id = $1 AND NOT is_active`
)

// replace makes a new row current by statements that are transactions of their own. $1 is the
// workflow, $2 the new row, $3 its version, $4 its text.
func (f *crowdFlow) replace(statements ...string) {
	f.t.Helper()
	row, code := f.next(uuid.NewString(), true)
	f.rows, f.at = append(f.rows, row), len(f.rows)
	args := []any{f.id, row.id, fmt.Sprint(row.stamp), code}
	for _, sql := range statements {
		n := 2
		if strings.Contains(sql, "$4") {
			n = 4
		}
		f.exec(sql, args[:n]...)
	}
}

func (f *crowdFlow) forgetOthers() { f.rows, f.at = []codeRow{f.rows[f.at]}, 0 }

func (f *crowdFlow) rollBack(to int) {
	f.t.Helper()
	f.at = to
	if row := f.rows[to]; row.good {
		f.timeline.activated(row.stamp)
	}
	f.exec(`UPDATE workflow_compiled_code SET is_active = (id = $2) WHERE workflow_id = $1`, f.id, f.rows[to].id)
}

// editAll edits all workflows in one transaction.
func (c *crowd) editAll() {
	c.t.Helper()
	err := pgx.BeginFunc(c.t.Context(), c.db, func(tx pgx.Tx) error {
		for _, k := range kinds {
			f := c.flows[k.name]
			row, code := f.next(f.rows[f.at].id, true)
			f.rows[f.at] = row
			if _, err := tx.Exec(c.t.Context(), `UPDATE workflow_compiled_code SET version = $2, workflow_code = $3 WHERE id = $1`, row.id, fmt.Sprint(row.stamp), code); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *crowd) editComponent() {
	c.t.Helper()
	stamp := c.nextStamp()
	c.stamp.activated(stamp)
	c.exec(`UPDATE components SET implementation_code = $2, is_active = true WHERE id = $1`, c.compID, crowdComponent(stamp))
}

// edit does n random acts.
func (e *editor) edit(n int) {
	for range n {
		a, k := e.acts[e.r.IntN(len(e.acts))], kinds[e.r.IntN(len(kinds))]
		fmt.Fprintf(&e.plan, "%s %s: %s\n", time.Now().Format("05.000"), k.name, a.name)
		a.do(e, e.flows[k.name])
		e.wait()
	}
}

// wait lets the service notice, or not: both are to be.
func (e *editor) wait() {
	time.Sleep(time.Duration(e.r.Int64N(int64(400 * time.Millisecond))))
}

// settle makes every text good and waits until it is live.
func (e *editor) settle() {
	e.editComponent()
	e.editAll()
	for _, k := range kinds {
		e.flows[k.name].live()
	}
	eventually(e.t, "the component's last text is live", func() error {
		w, err := e.worker()
		if err == nil {
			var s, _ = source(w, "stamp")
			if s.Error != nil || s.Hash == "" {
				err = fmt.Errorf("%+v", s)
			}
		}
		return err
	})
	e.stamp.barrier()
}

// excuse knows the trouble that is to be here.
func (e *editor) excuse(t trouble) string {
	failed := t.event.GetWorkflowTaskFailedEventAttributes()
	again := t.event.GetActivityTaskStartedEventAttributes().GetLastFailure()
	text := failed.GetFailure().GetMessage() + again.GetMessage()
	none := strings.HasPrefix(text, "no ") && strings.Contains(text, " of this project is named") ||
		strings.HasPrefix(text, "workflow ") || strings.HasPrefix(text, "component ") // and what is wrong with its text
	switch {
	case none && again != nil:
		return "no such activity yet"
	case none && !t.pinned && len(e.acts) > len(gentle):
		return "no such workflow yet"
	case t.event.GetWorkflowTaskTimedOutEventAttributes() != nil, again.GetTimeoutFailureInfo() != nil:
		return "died with its worker" // that reloads have no part in it is what the storm proves
	}
	return ""
}
