package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime/bundle"
)

// pin is what the first workflow task records in the execution's history, as the first side effect: on what code it runs for
// good. A task that fails records nothing, so that an execution whose first task never completed takes the code that is
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

// start finds the execution's code: the current one the first time, the recorded one ever after.
func (d *definition) start() error {
	workflowType := d.env.WorkflowInfo().WorkflowType.Name
	var live *instance
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
		live = &instance{vm: code.acquire(d.env.WorkflowInfo().WorkflowExecution.RunID), code: code}
		flags, err := live.defaultFlags()
		if err != nil {
			return nil, err
		}
		data, err := json.Marshal(pin{Hash: code.Hash(), Export: export, SDK: bundle.Version(), Flags: flags})
		if err != nil {
			return nil, err
		}
		return &commonpb.Payloads{Payloads: []*commonpb.Payload{jsonPayload(data)}}, nil
	}, func(result *commonpb.Payloads, err error) { recorded, failed = result, err }, summary)
	d.in = live // closed with the definition, whatever happens next
	if failed != nil {
		return failed
	}
	var p pin
	if len(recorded.GetPayloads()) != 1 {
		return errors.New("the side effect that pins the execution's code has no payload")
	}
	if err := json.Unmarshal(recorded.GetPayloads()[0].GetData(), &p); err != nil {
		return fmt.Errorf("read the pin of the execution's code: %w", err)
	}
	d.export, d.flags = p.Export, p.Flags
	if live != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), d.o.ResolveTimeout)
	defer cancel()
	code, err := d.o.Resolver.Pinned(ctx, p.Hash)
	if err != nil {
		return &TaskFailure{
			Reason: ReasonMissingCode, Code: p.Hash,
			Message: fmt.Sprintf("the code that this execution is pinned to can't be had: %v", err),
			Hint:    "The execution waits until the code is there again.",
		}
	}
	d.in = &instance{vm: code.acquire(d.env.WorkflowInfo().WorkflowExecution.RunID), code: code}
	return nil
}

// summary names the code to people: Temporal's UI shows it with the marker.
func (c *Code) summary() string {
	const most = 160 // the server fails a task whose summary is longer than 400 bytes
	name := strings.TrimSpace(c.program.Name + " " + c.versionNow())
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	return fmt.Sprintf("code of this execution: %s (%.12s)", name, c.Hash())
}

// SetVersion says what people call this version of the module; the text, and with it the hash, may get another name.
func (c *Code) SetVersion(version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = version
}

func (c *Code) versionNow() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version
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
