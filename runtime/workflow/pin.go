package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"

	bindings "go.temporal.io/sdk/internalbindings"

	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/language/intl/cldr"
	"workflow-worker/runtime/logkey"
)

// CodeHeader is the header by which a schedule command tells the activity worker the hash of the
// code that scheduled it.
const CodeHeader = "workflow-worker-code"

// start finds the execution's code: the current one the first time, afterwards the one that its
// last task ran on or the one that it is to go on with.
func (d *definition) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), d.o.ResolveTimeout)
	defer cancel()
	x := d.x
	began, last, forQuery, err := d.o.Tasks.Begin(ctx, x.RunID)
	if err != nil {
		return err
	}
	d.began = began
	p, err := d.pin()
	if err != nil {
		return err
	}
	d.flags, d.rules, d.englishOnly = p.Flags, p.Rules, p.Zones == ""
	if d.in == nil {
		if err := d.resume(ctx, p, last, forQuery); err != nil {
			return err
		}
	}
	d.o.Tasks.Keep(d, x, d.o.hears())
	return nil
}

// pin records the current code and settles the execution on it, or reads what was recorded.
func (d *definition) pin() (p wire.Pin, err error) {
	workflowType := d.x.Type
	var recorded *commonpb.Payloads
	var failed error
	d.pinRecorded = d.env.IsReplaying()
	var code *Code
	var export, summary string
	var unknown error
	if !d.pinRecorded {
		if code, export, unknown = d.o.Resolver.Current(workflowType); unknown == nil {
			summary = code.summary()
		}
	}
	err = d.sideEffect(func() (*commonpb.Payloads, error) {
		if unknown != nil {
			return nil, &wire.TaskFailure{Reason: wire.ReasonUnknownType, Message: unknown.Error(), Hint: hintReload}
		}
		d.settle(code, export, wire.LastCode{Hash: code.Hash(), Since: code.liveSince()}) // closed with the definition, whatever happens next
		flags, err := d.in.defaultFlags()
		if err != nil {
			return nil, err
		}
		zones, err := cldr.ZonesVersion()
		if err != nil {
			return nil, err
		}
		data, err := json.Marshal(wire.Pin{
			Hash: code.Hash(), Export: export, SDK: bundle.Version(), Flags: flags, Rules: rules(), Zones: zones,
		})
		if err != nil {
			return nil, err
		}
		return &commonpb.Payloads{Payloads: []*commonpb.Payload{protocol.JSONPayload(data)}}, nil
	}, func(result *commonpb.Payloads, err error) { recorded, failed = result, err }, summary)
	if err != nil || failed != nil {
		return p, errors.Join(err, failed)
	}
	if p = wire.PinIn(recorded); p.Hash == "" {
		return p, d.o.Tasks.Foreign(d.x.RunID).Failure() // its side effect is its author's
	}
	return p, nil
}

// sideEffect is the SDK's, which panics where a history hasn't got it: then another worker began
// the execution.
func (d *definition) sideEffect(f func() (*commonpb.Payloads, error), done bindings.ResultHandler, summary string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if !strings.Contains(fmt.Sprint(p), wire.MissingSideEffect) {
				panic(p)
			}
			err = d.o.Tasks.Foreign(d.x.RunID).Failure()
		}
	}()
	d.env.SideEffect(f, done, summary, nil)
	return nil
}

// resume goes on with an execution that has a history, on the code that it is to run now.
func (d *definition) resume(ctx context.Context, p wire.Pin, last wire.LastCode, forQuery bool) error {
	if last.Hash == "" {
		last.Hash = p.Hash
	}
	if !forQuery && d.move(ctx, p, last) { // a query is for what has run
		return nil
	}
	code, export, err := d.resolve(ctx, p, last.Hash)
	if err != nil {
		return &wire.TaskFailure{
			Reason: wire.ReasonMissingCode, Code: last.Hash,
			Message: fmt.Sprintf("the code that this execution is pinned to can't be had: %v", err),
			Hint:    "The execution waits until the code is there again.",
		}
	}
	d.settle(code, export, last)
	return nil
}

// move goes on with other code than the one that ran, if that is wanted and fits: whether it does
// the history tells, of which a look at some executions before the code went live may not have
// known. moved is false if the execution stays.
func (d *definition) move(ctx context.Context, p wire.Pin, last wire.LastCode) (moved bool) {
	x := d.x
	wanted := d.o.Resolver.Wanted(x, last)
	if wanted.Hash == last.Hash || d.o.Tasks.Refused(x.RunID, wanted.Hash) {
		return false
	}
	log := d.o.Logger.With(slog.String(logkey.WorkflowID, x.ID), slog.String(logkey.RunID, x.RunID), slog.String(logkey.Workflow, x.Type),
		slog.String(logkey.From, last.Hash), slog.String(logkey.To, wanted.Hash))
	code, export, err := d.resolve(ctx, p, wanted.Hash)
	if err != nil {
		log.Warn("an execution keeps its code until the next task: what it is to go on with can't be had", slog.String(logkey.Error, err.Error()))
		return false
	}
	if err := d.checkReplay(ctx, code, export); err != nil {
		why, final := misfitOf(ctx, err)
		if !final {
			log.Warn("an execution keeps its code until the next task: it can't be told whether its history fits other code", slog.String(logkey.Error, err.Error()))
			return false
		}
		d.o.Tasks.Refuse(x.RunID, wanted.Hash)
		log.Warn("an execution keeps its code: what it was to go on with doesn't fit its history", slog.String(logkey.Error, why.Error()))
		d.o.KeptCode(x, last, code, why)
		return false
	}
	log.Debug("an execution goes on with other code")
	d.settle(code, export, wanted)
	return true
}

// misfitOf says why an execution keeps its code for good. final is false for what passes: the
// server didn't give the history.
func misfitOf(ctx context.Context, err error) (why Misfit, final bool) {
	var misfit *Misfit
	switch {
	case errors.As(err, &misfit):
		return *misfit, true
	case errors.Is(err, wire.ErrTooLong):
		return Misfit{Reason: err.Error()}, true
	case ctx.Err() != nil:
		return Misfit{Reason: "replaying its history on that code takes too long"}, true
	}
	return Misfit{}, false
}

// checkReplay tries the code on the history that there is. A replay checks nothing itself.
func (d *definition) checkReplay(ctx context.Context, code *Code, export string) error {
	h, err := d.o.Tasks.History(ctx, d.x.RunID)
	if err != nil || h == nil {
		return err
	}
	return CheckReplay(ctx, d.o, d.x, h, code, export)
}

// resolve gives the code of a hash, and the function in it: the recorded one, unless the code isn't
// the recorded one.
func (d *definition) resolve(ctx context.Context, p wire.Pin, hash string) (*Code, string, error) {
	if hash == p.Hash {
		code, err := d.o.Resolver.Pinned(ctx, hash)
		return code, p.Export, err
	}
	return d.o.Resolver.Moved(ctx, hash, d.x.Type)
}

// settle gives the execution a place in a runtime.
func (d *definition) settle(code *Code, export string, on wire.LastCode) {
	d.in = code.newInstance(d.x.RunID, d.o.unproven)
	d.in.busy = &d.busy
	d.export = export
	d.on.Store(&on)
}

// summary names the code to people: Temporal's UI shows it with the marker.
func (c *Code) summary() string {
	return "code of this execution: " + wire.Title(c.title(), "", c.Hash())
}

// title is the file's name and what people call this version of it.
func (c *Code) title() string {
	const most = 160 // the server fails a task whose marker's summary is longer than 400 bytes
	c.mu.Lock()
	defer c.mu.Unlock()
	name := strings.TrimSpace(c.program.Name + " " + c.version)
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	return name
}

// SetVersion says what people call this version of the module; the text, and with it the hash, may
// get another name.
func (c *Code) SetVersion(version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = version
}

// SetLive says since when new executions start on this code.
func (c *Code) SetLive(since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = since
}

func (c *Code) liveSince() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since
}

// defaultFlags gives the flags that the package turns on for new executions.
func (in *instance) defaultFlags() (flags []int, err error) {
	err = in.enter(context.Background(), loadTimeout, noHost{}, func() error {
		flags = in.machine.flags
		return nil
	})
	return flags, err
}

// codeHeader tells the activity worker which code schedules.
func (d *definition) codeHeader(fields map[string]*commonpb.Payload) *commonpb.Header {
	out := make(map[string]*commonpb.Payload, len(fields)+1)
	for k, p := range fields {
		out[k] = p
	}
	out[CodeHeader] = protocol.JSONPayload([]byte(`"` + d.in.code.Hash() + `"`))
	d.trace.task.Into(out)
	return &commonpb.Header{Fields: out}
}
