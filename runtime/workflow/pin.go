package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime/bundle"
)

// pin is what the first workflow task records in the execution's history, as the first side effect: on what code it began,
// and runs for good unless it is moved (see Ran). A task that fails records nothing, so that an execution whose first task never completed takes the code that is
// current at the next attempt.
type pin struct {
	// Hash is the module's content hash, Export the name of the function in it.
	Hash   string `json:"hash"`
	Export string `json:"export"`
	// SDK is the bundle that recorded it, for people to read; Flags are the TypeScript SDK's internal flags that were in
	// force, which replay must keep to.
	SDK   string `json:"sdk"`
	Flags []int  `json:"flags"`
}

// CodeHeader is the header by which a schedule command tells the activity worker the hash of the code that scheduled it.
const CodeHeader = "workflow-worker-code"

// start finds the execution's code: the current one the first time, afterwards the one that its last task ran on or the one that it is to
// go on with.
func (d *definition) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), d.o.ResolveTimeout)
	defer cancel()
	x := d.env.WorkflowInfo().WorkflowExecution
	began, ran, forQuery, err := d.o.Tasks.begin(ctx, x.RunID)
	if err != nil {
		return err
	}
	d.began = began
	p, live, err := d.pin()
	if err != nil {
		return err
	}
	d.export, d.flags = p.Export, p.Flags
	if live == nil {
		if err := d.resume(ctx, p, ran, forQuery); err != nil {
			return err
		}
	} else {
		d.on.Store(&Ran{Hash: p.Hash, Since: live.liveSince()})
	}
	d.o.Tasks.keep(x.RunID, d)
	return nil
}

// pin records the current code, or reads what was recorded. current is nil in the second case.
func (d *definition) pin() (p pin, current *Code, err error) {
	workflowType := d.env.WorkflowInfo().WorkflowType.Name
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
	d.env.SideEffect(func() (*commonpb.Payloads, error) {
		if unknown != nil {
			return nil, &TaskFailure{Reason: ReasonUnknownType, Message: unknown.Error(), Hint: hintReload}
		}
		current = code
		d.settle(code) // closed with the definition, whatever happens next
		flags, err := d.in.defaultFlags()
		if err != nil {
			return nil, err
		}
		data, err := json.Marshal(pin{Hash: code.Hash(), Export: export, SDK: bundle.Version(), Flags: flags})
		if err != nil {
			return nil, err
		}
		return &commonpb.Payloads{Payloads: []*commonpb.Payload{jsonPayload(data)}}, nil
	}, func(result *commonpb.Payloads, err error) { recorded, failed = result, err }, summary)
	if failed != nil {
		return p, nil, failed
	}
	if len(recorded.GetPayloads()) != 1 {
		return p, nil, errors.New("the side effect that pins the execution's code has no payload")
	}
	if err := json.Unmarshal(recorded.GetPayloads()[0].GetData(), &p); err != nil {
		return p, nil, fmt.Errorf("read the pin of the execution's code: %w", err)
	}
	return p, current, nil
}

// resume goes on with an execution that has a history, on the code that it is to run now.
func (d *definition) resume(ctx context.Context, p pin, ran Ran, forQuery bool) error {
	if ran.Hash == "" {
		ran.Hash = p.Hash
	}
	info := d.env.WorkflowInfo()
	wanted := ran
	if !forQuery {
		wanted = d.o.Resolver.Wanted(Execution{ID: info.WorkflowExecution.ID, RunID: info.WorkflowExecution.RunID, Type: info.WorkflowType.Name}, ran)
	}
	code, export, err := d.resolve(ctx, p, wanted.Hash)
	if err != nil && wanted.Hash != ran.Hash {
		d.o.Logger.Warn("an execution keeps its code: what it should go on with can't be had",
			"workflow_id", info.WorkflowExecution.ID, "run_id", info.WorkflowExecution.RunID, "hash", wanted.Hash, "error", err)
		wanted = ran
		code, export, err = d.resolve(ctx, p, ran.Hash)
	}
	if err != nil {
		return &TaskFailure{
			Reason: ReasonMissingCode, Code: wanted.Hash,
			Message: fmt.Sprintf("the code that this execution is pinned to can't be had: %v", err),
			Hint:    "The execution waits until the code is there again.",
		}
	}
	d.export = export
	d.settle(code)
	d.on.Store(&wanted)
	return nil
}

// resolve gives the code of a hash, and the function in it: the recorded one, unless the code isn't the recorded one.
func (d *definition) resolve(ctx context.Context, p pin, hash string) (*Code, string, error) {
	if hash == p.Hash {
		code, err := d.o.Resolver.Pinned(ctx, hash)
		return code, p.Export, err
	}
	return d.o.Resolver.Moved(ctx, hash, d.env.WorkflowInfo().WorkflowType.Name)
}

// settle gives the execution a place on the code's runtimes.
func (d *definition) settle(code *Code) {
	d.in = &instance{vm: code.acquire(d.env.WorkflowInfo().WorkflowExecution.RunID), code: code}
}

// summary names the code to people: Temporal's UI shows it with the marker.
func (c *Code) summary() string {
	return fmt.Sprintf("code of this execution: %s (%.12s)", c.title(), c.Hash())
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

// SetVersion says what people call this version of the module; the text, and with it the hash, may get another name.
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
		flags = in.vm.flags
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
	out[CodeHeader] = jsonPayload([]byte(`"` + d.in.code.Hash() + `"`))
	return &commonpb.Header{Fields: out}
}
