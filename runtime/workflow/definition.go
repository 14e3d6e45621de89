package workflow

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"

	historypb "go.temporal.io/api/history/v1"

	bindings "go.temporal.io/sdk/internalbindings"
)

// definition is one run of a workflow to the Go SDK, which calls it from different goroutines, but
// never from two at once. The SDK's callbacks only queue jobs; JavaScript runs within
// OnWorkflowTaskStarted and queries.
type definition struct {
	o     Options
	env   bindings.WorkflowEnvironment
	input *commonpb.Payloads
	head  *commonpb.Header
	x     wire.RunInfo

	began *historypb.WorkflowExecutionStartedEventAttributes // nil after the first activation, and if unknown

	in          *instance // nil until the first task
	export      string
	flags       []int                         // of the TypeScript SDK, as recorded
	rules       []rule                        // our own, as recorded
	englishOnly bool                          // Intl is as it was before it had other languages and time zones
	on          atomic.Pointer[wire.LastCode] // the code that runs
	busy        atomic.Bool                   // local activities are under way, which a replay would run again
	pinRecorded bool                          // in a completed task
	initialized bool
	completed   bool
	beginsAgain bool // see beginAgain: nothing that it answers is sent
	closed      bool
	replaying   bool // in the activation under way
	inQuery     bool
	jobs        []protocol.Job
	logged      int // lines of the activation under way
	// waited is how long the task under way waited for its turn, hadTurn that it had one.
	waited  time.Duration
	hadTurn bool
	pending int // commands and conditions that the activation under way started: see started

	// What the execution waits for, by the package's sequence numbers.
	timers     map[int64]bindings.TimerID
	activities map[int64]*activityState
	locals     map[int64]*localState
	children   map[int64]*childState
	nexus      map[int64]*nexusState
	signals    map[int64]bool // of other workflows
	updates    map[string]*updateState
	// outbox are the commands of this task: the server gets them when the task ends. One that is
	// cancelled before is never sent, as with Temporal's own worker.
	outbox []outgoing
	// end is the run's end, which goes behind all of them; nil while it runs, and of an execution
	// from before ruleEndLast.
	end outgoing
	// refused is what the server refused in a way that the package doesn't know: the task fails
	// with it.
	refused error
	// patchBytes is the length of the list of patches, as far as the code has asked for them.
	patchBytes int
	// failed is what the task failed with: it is completed on its way to the server.
	failed *wire.TaskFailure
	trace  traced
}

// Execute only registers handlers: nothing may run before the task's start.
func (d *definition) Execute(env bindings.WorkflowEnvironment, header *commonpb.Header, input *commonpb.Payloads) {
	d.env, d.head, d.input = env, header, input
	info := env.WorkflowInfo()
	d.x = wire.RunInfo{ID: info.WorkflowExecution.ID, RunID: info.WorkflowExecution.RunID, Type: info.WorkflowType.Name}
	env.RegisterCancelHandler(func() { d.push(protocol.Cancel{}) })
	env.RegisterSignalHandler(func(name string, input *commonpb.Payloads, header *commonpb.Header) error {
		d.push(protocol.Signal{Name: name, Input: input, Header: header})
		return nil
	})
	env.RegisterUpdateHandler(func(name, id string, args *commonpb.Payloads, header *commonpb.Header, cb bindings.UpdateCallbacks) {
		put(&d.updates, id, &updateState{callbacks: cb})
		d.push(protocol.Update{Name: name, ID: id, Input: args, Header: header})
	})
	env.RegisterQueryHandler(d.query)
}

// put adds to what an execution waits for, of which most have little: the maps are made when they are
// needed.
func put[K comparable, V any](waiting *map[K]V, key K, value V) {
	if *waiting == nil {
		*waiting = make(map[K]V)
	}
	(*waiting)[key] = value
}

// updateState is an update that was not answered yet.
type updateState struct {
	callbacks bindings.UpdateCallbacks
	accepted  bool
}

func (d *definition) push(j protocol.Job) { d.jobs = append(d.jobs, j) }

// OnWorkflowTaskStarted runs what the events since the last task brought. A panic is the bindings'
// way to fail the task: the SDK then drops this definition, and the next attempt replays the
// history with a new one.
func (d *definition) OnWorkflowTaskStarted(time.Duration) {
	if d.completed || d.closed {
		return
	}
	d.beginSpan()
	err := d.task()
	if err == nil || errors.Is(err, errDiscarded) && d.beginAgain() {
		d.spanAnswered()
		return
	}
	f := d.taskFailure(err)
	d.trace.failed(f.Reason)
	panic(f)
}

// maxTaskFactor is how many times its budget of CPU a task may take on the clock.
const maxTaskFactor = 10

func (d *definition) task() error {
	if d.refused != nil {
		return d.refused
	}
	if d.o.giveUp != nil {
		if err := d.o.giveUp(); err != nil {
			return err
		}
	}
	d.replaying = d.env.IsReplaying()
	if d.in != nil && !d.replaying && !d.busy.Load() && d.isMisplaced() && d.beginAgain() {
		return nil
	}
	if d.in == nil {
		if err := d.start(); err != nil {
			return err
		}
	}
	// Of a task that fails the execution is dropped.
	d.in.working.Store(true)
	// What a cancellation resolves at once makes another activation, without end if the code
	// schedules and cancels again.
	began, before := time.Now(), d.waited
	for len(d.jobs) > 0 || !d.initialized {
		left := maxTaskFactor*d.o.TaskTimeout - (time.Since(began) - (d.waited - before))
		if left <= 0 {
			return &wire.TaskFailure{Reason: wire.ReasonInterrupted, Hint: hintTooLong, Message: fmt.Sprintf(
				"the workflow task came to no end within %v: the code schedules and cancels without waiting", maxTaskFactor*d.o.TaskTimeout)}
		}
		commands, err := d.activate(left, protocol.Sorted(d.jobs))
		if err != nil {
			return err
		}
		for _, c := range commands {
			if err := c.accept(d); err != nil {
				return err
			}
		}
		if len(d.jobs) > 0 && !d.completed {
			continue // what a cancellation resolved at once
		}
		if err := d.flush(); err != nil || d.completed {
			return err
		}
		if d.refused != nil {
			return d.refused
		}
	}
	d.pinRecorded = true
	d.busy.Store(len(d.locals) > 0)
	d.in.working.Store(false)
	if !d.replaying {
		d.waited, d.hadTurn = 0, false
		d.in.behaves = d.in.code.suspects.passed(d.x.RunID) || d.in.behaves
		d.in.account.Lasts()
	}
	return nil
}

// isMisplaced tells whether the execution is to begin again in another runtime: its code shouldn't
// share this one, it needs none of its own any more, or what it is charged with has to be found out
// anew.
func (d *definition) isMisplaced() bool {
	if d.in.account.Doubtful() {
		d.in.code.suspects.doubt(d.x.RunID)
		return true
	}
	return d.in.heavy || d.in.behaves
}

// activate hands the jobs to the package, as one activation that has so much time on the clock.
func (d *definition) activate(most time.Duration, jobs []protocol.Job) (commands []command, err error) {
	d.jobs, d.pending = nil, 0
	in := d.in
	if err := in.early(); err != nil {
		return nil, err
	}
	over, err := d.turn()
	if err != nil {
		return nil, err
	}
	defer over()
	done, err := in.takeTurn()
	if err != nil {
		return nil, err
	}
	defer done()
	defer d.tellDropped()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	err = in.enter(ctx, d.o.TaskTimeout, d, func() error {
		v := in.machine
		if !d.initialized {
			if err := d.create(); err != nil {
				return in.thrown(err)
			}
		}
		if err := d.begin(); err != nil {
			return err
		}
		list := make([]any, 0, len(jobs)+1)
		if !d.initialized {
			init, err := d.initialize()
			if err != nil {
				return err
			}
			list = append(list, init)
		}
		for _, j := range jobs {
			o, err := v.sdk.values.Job(j, d.replaying)
			if err != nil {
				return err
			}
			list = append(list, o)
		}
		if err := in.run(v.vm.Runtime.NewArray(list...)); err != nil {
			return in.thrown(err)
		}
		concluded, err := v.sdk.conclude(goja.Undefined())
		if err != nil {
			return in.thrown(err)
		}
		if err := in.unhandled(); err != nil {
			return err
		}
		if !d.initialized {
			if err := d.noteUpgrades(); err != nil {
				return err
			}
		}
		commands, err = v.readCommands(concluded)
		return err
	})
	d.initialized, d.began = true, nil
	return commands, err
}

// run applies jobs and lets conditions and promise reactions go on until nothing moves. goja runs
// reactions whenever a call from Go returns.
func (in *instance) run(jobs goja.Value) error {
	s := &in.machine.sdk
	if _, err := s.activate(goja.Undefined(), jobs); err != nil {
		return err
	}
	for {
		n, err := s.unblock(goja.Undefined())
		if err != nil {
			return err
		}
		if n.ToInteger() == 0 {
			return nil
		}
	}
}

// flush gives the task's commands to the SDK.
func (d *definition) flush() error {
	if d.end != nil {
		d.outbox = append(d.outbox, d.end)
		d.end = nil
	}
	for len(d.outbox) > 0 {
		c := d.outbox[0]
		d.outbox = d.outbox[1:]
		if err := c.send(d); err != nil {
			return err
		}
	}
	d.outbox = nil
	return nil
}

// Close may be called from any goroutine, and more than once; it doesn't wait for the runtime, in
// which others may run.
func (d *definition) Close() {
	if d.closed {
		return
	}
	if d.o.end != nil && d.in != nil && d.initialized {
		d.o.end(d)
	}
	d.closed = true
	d.o.Tasks.Drop(d, d.x.RunID)
	if d.in != nil {
		d.in.close()
		d.in = nil
	}
}
