package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime/sandbox"
)

// query answers one, of an execution that may be closed. It is live whatever it looks at: it logs,
// and its random numbers are not the execution's.
func (d *definition) query(name string, args *commonpb.Payloads, header *commonpb.Header) (*commonpb.Payloads, error) {
	if d.beginsAgain { // and answers then what it came with: this answer is never sent
		return nil, wire.ErrAgain
	}
	if d.in == nil || !d.initialized {
		return nil, fmt.Errorf("query %q: the execution has not started", name)
	}
	d.inQuery = true
	defer func() { d.inQuery = false }()
	in := d.in
	var answer *commonpb.Payload
	if err := in.early(); err != nil {
		return nil, d.queryError(name, err)
	}
	over, err := in.turn(context.Background(), mostWait)
	if err != nil {
		return nil, d.queryError(name, err)
	}
	done, err := in.takeTurn()
	if err != nil {
		over()
		return nil, d.queryError(name, err)
	}
	defer done()
	defer d.tellDropped()
	err = in.enter(context.Background(), d.o.TaskTimeout, d, func() error {
		v := in.machine
		d.setRules(v)
		job, err := v.sdk.values.Job(protocol.Query{Name: name, Input: args, Header: header}, d.replaying)
		if err != nil {
			return err
		}
		if _, err := v.sdk.beginQuery(goja.Undefined()); err != nil {
			return in.thrown(err)
		}
		if _, err := v.sdk.activate(goja.Undefined(), v.vm.Runtime.NewArray(job)); err != nil {
			return in.thrown(err)
		}
		concluded, err := v.sdk.conclude(goja.Undefined())
		if err != nil {
			return in.thrown(err)
		}
		answer, err = d.readAnswer(concluded)
		return err
	})
	over() // what is replayed for it has turns of its own
	if errors.Is(err, errDiscarded) && !d.o.unproven {
		if again, failed := d.askAgain(name, args, header); !errors.Is(failed, errDiscarded) {
			d.evict(errDiscarded)
			return again, failed
		}
	}
	if err != nil {
		return nil, d.queryError(name, err)
	}
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{answer}}, nil
}

// readAnswer finds the response among the commands; called inside enter.
func (d *definition) readAnswer(concluded goja.Value) (*commonpb.Payload, error) {
	v := d.in.machine.sdk.values
	answer := v.ReadAnswer(concluded)
	if answer.Changed {
		// Its commands are lost, and so is the execution's state.
		changed := &wire.TaskFailure{Reason: wire.ReasonException, Message: "the handler changed the execution: a query may only read"}
		d.evict(changed)
		return nil, changed
	}
	if answer.None() {
		// Upstream never answers when the result can't be converted.
		if err := d.in.unhandled(); err != nil {
			return nil, err
		}
		return nil, errors.New("the handler gave no answer")
	}
	if answer.Has("failed") {
		f, err := v.ReadFailure(answer.Value("failed"))
		if err != nil {
			return nil, err
		}
		return nil, protocol.ToError(d.env.GetFailureConverter(), f)
	}
	return v.ReadPayload(answer.Object("succeeded").Value("response"))
}

// queryError leaves the handler's own failures as they are.
func (d *definition) queryError(name string, err error) error {
	var interrupted *sandbox.Interrupted
	var overflow *goja.StackOverflowError
	var fault *sandbox.Fault
	if errors.As(err, &interrupted) {
		d.o.Observer.JSInterrupted(InterruptedQuery)
	}
	if sandbox.CutOff(err) || errors.Is(err, errDiscarded) {
		d.evict(errDiscarded)
	}
	var f *wire.TaskFailure
	switch {
	case errors.As(err, &f):
		return errors.New(f.Message) // as Temporal's own worker words it
	case interrupted != nil:
		return fmt.Errorf("query %q: %s", name, firstLine(interrupted.Error()))
	case errors.As(err, &overflow):
		return fmt.Errorf("query %q: maximum call stack size exceeded", name)
	case errors.As(err, &fault):
		return fmt.Errorf("query %q: %s", name, firstLine(fault.Error()))
	case errors.Is(err, errDiscarded):
		return fmt.Errorf("query %q: %s; ask again", name, discardedMessage)
	}
	return err
}

// evict makes the SDK drop the execution from its cache once a query is answered, without a word to
// the server: the next query or task replays it. It works within a query alone, where the SDK has
// decided already what the task comes to.
func (d *definition) evict(why error) {
	d.o.Tasks.Dropped(d.x.RunID)
	d.env.Complete(nil, why)
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// StackTrace answers the SDK's own __stack_trace query, which doesn't come to the query handler.
func (d *definition) StackTrace() string {
	answer, err := d.query("__stack_trace", nil, nil)
	if err != nil {
		return err.Error()
	}
	var text string
	if err := json.Unmarshal(answer.GetPayloads()[0].GetData(), &text); err != nil {
		return err.Error()
	}
	return text
}
