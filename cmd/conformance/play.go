package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
)

// caseTimeout is when a case is given up that says nothing else. Most take a tenth of a second.
const caseTimeout = 30 * time.Second

// play is one run of a case on a host.
type play struct {
	*testCase
	stand *stand
	host  host
	gate  *gate

	id         string
	executions map[string]*watch
	updates    map[string]chan answer
	work       sync.WaitGroup // what follows executions and waits for updates
	replace    *strings.Replacer
	seen       observed
}

// observed is all that a case brought to light, to be compared between hosts.
type observed struct {
	Status      string
	Result      any
	Failure     map[string]any
	TaskFailure map[string]any
	Events      []string
	Answers     []any
}

func (o observed) replaced(r *strings.Replacer) observed {
	o.Result = replaced(o.Result, r)
	o.Failure, _ = replaced(o.Failure, r).(map[string]any)
	o.TaskFailure, _ = replaced(o.TaskFailure, r).(map[string]any)
	o.Answers, _ = replaced(o.Answers, r).([]any)
	return o
}

// answer is what a call came to: a value, or a failure.
type answer struct {
	value   any
	failure map[string]any
	err     error
}

func (a answer) seen() any {
	if a.failure != nil {
		return map[string]any{"failure": withoutVolatile(a.failure)}
	}
	return a.value
}

// run plays the case and says what was wrong; nil if all was as expected.
func (p *play) run(ctx context.Context) (err error) {
	defer p.work.Wait()
	ctx, cancel := context.WithTimeoutCause(ctx, caseTimeout, errTimeout)
	defer cancel()
	defer p.gate.leave()
	kind := workflowRows
	if p.isActivity() {
		kind = componentRows
	}
	expectsBroken := false
	for _, s := range p.Steps {
		expectsBroken = expectsBroken || s.Row != nil || s.Reload != ""
	}
	if why := p.host.broken(p.group, kind, p.Name); why != "" && !expectsBroken && !p.group.Dormant {
		return fmt.Errorf("its row is not live: %s", why)
	}
	p.id = p.Name + "-" + uuid.NewString()[:8]
	p.executions, p.updates = map[string]*watch{}, map[string]chan answer{}
	p.replace = p.replacer("")
	defer func() {
		p.seen = p.seen.replaced(p.placeholders())
		if err != nil {
			if ctx.Err() != nil && !errors.Is(err, errTimeout) { // a call that was cut off has other words for it
				err = fmt.Errorf("%w: %w", errTimeout, err)
			}
			err = fmt.Errorf("%w%s", err, p.told())
		}
		p.cleanUp(context.WithoutCancel(ctx))
	}()
	if err := p.start(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	for i, s := range p.Steps {
		if err := p.step(ctx, s); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return p.conclude(ctx)
}

// replacer fills in what is known only now.
func (p *play) replacer(runID string) *strings.Replacer {
	return strings.NewReplacer("${id}", p.id, "${queue}", p.host.taskQueue(p.group), "${run}", runID,
		"${http}", p.stand.web.url, "${https}", p.stand.web.secureURL, "${private}", p.stand.web.privateURL)
}

func (p *play) main() *watch { return p.executions[""] }

// execution is the one that a step is about.
func (p *play) execution(s *step) (*watch, error) {
	if id, ok := strings.CutPrefix(s.Of, "child:"); ok {
		return &watch{id: p.replace.Replace(id)}, nil
	}
	w, ok := p.executions[s.Of]
	if !ok {
		return nil, fmt.Errorf("no execution is named %q", s.Of)
	}
	return w, nil
}

func (p *play) values(nodes []yaml.Node) ([]any, error) {
	out := make([]any, len(nodes))
	for i := range nodes {
		v, err := readValue(&nodes[i], p.replace)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (p *play) payloads(nodes []yaml.Node) (*commonpb.Payloads, error) {
	values, err := p.values(nodes)
	if err != nil {
		return nil, err
	}
	return payloadsOf(values)
}

// want reads an expectation; ok is false if there is none.
func (p *play) want(n *yaml.Node) (v any, ok bool, err error) {
	if n.IsZero() {
		return nil, false, nil
	}
	v, err = readValue(n, p.replace)
	return v, true, err
}

func (p *play) start(ctx context.Context) error {
	workflowType, args := p.Name, p.Args
	if p.Type != "" {
		workflowType = p.Type
	}
	if !p.isActivity() {
		return p.begin(ctx, "", p.id, workflowType, args, &p.Start, p.StartWith)
	}
	call := make([]yaml.Node, 2, 2+len(args))
	if err := call[0].Encode(workflowType); err != nil {
		return err
	}
	call[1] = p.Options
	if p.Options.IsZero() {
		if err := call[1].Encode(map[string]any{}); err != nil {
			return err
		}
	}
	return p.begin(ctx, "", p.id, callActivity, append(call, args...), &p.Start, nil)
}

// begin starts an execution and follows it.
func (p *play) begin(ctx context.Context, as, id, workflowType string, args []yaml.Node, options *yaml.Node, with *step) error {
	input, err := p.payloads(args)
	if err != nil {
		return err
	}
	req := &workflowservice.StartWorkflowExecutionRequest{}
	if err := p.options(req, options); err != nil {
		return err
	}
	req.Namespace, req.RequestId, req.Identity = p.namespace(), uuid.NewString(), "conformance"
	if req.WorkflowId == "" {
		req.WorkflowId = id
	}
	req.WorkflowType = &commonpb.WorkflowType{Name: workflowType}
	req.TaskQueue = &taskqueuepb.TaskQueue{Name: p.host.taskQueue(p.group)}
	req.Input = input
	runID, err := p.startWith(ctx, req, with)
	if err != nil {
		return err
	}
	p.executions[as] = p.follow(ctx, req.WorkflowId, runID)
	if as == "" {
		p.id = req.WorkflowId
		p.replace = p.replacer(runID)
	}
	return nil
}

func (p *play) namespace() string { return p.stand.temporal.Namespace() }

// options reads the start's options into the request.
func (p *play) options(req *workflowservice.StartWorkflowExecutionRequest, n *yaml.Node) error {
	v, ok, err := p.want(n)
	if err != nil || !ok {
		return err
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return errors.New("start is not a map")
	}
	for name, set := range map[string]func(map[string]*commonpb.Payload){
		"memo": func(m map[string]*commonpb.Payload) { req.Memo = &commonpb.Memo{Fields: m} },
		"searchAttributes": func(m map[string]*commonpb.Payload) {
			req.SearchAttributes = &commonpb.SearchAttributes{IndexedFields: m}
		},
		"header": func(m map[string]*commonpb.Payload) { req.Header = &commonpb.Header{Fields: m} },
	} {
		plain, ok := fields[name].(map[string]any)
		if !ok {
			continue
		}
		delete(fields, name)
		m, err := payloadMap(plain)
		if err != nil {
			return err
		}
		defer set(m) // after the request was reset by reading the others into it
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return protojson.Unmarshal(text, req)
}

// placeholders puts ${id}, ${run} and ${queue} back in place of what they stand for, so that two
// plays can be compared.
func (p *play) placeholders() *strings.Replacer {
	pairs := []string{p.host.taskQueue(p.group), "${queue}"}
	if w := p.executions[""]; w != nil {
		pairs = append(pairs, w.first, "${run}")
	}
	return strings.NewReplacer(append(pairs, p.id, "${id}")...)
}

// told explains a failed case.
func (p *play) told() string {
	var out strings.Builder
	for name, w := range p.executions {
		if w.mu.TryLock() {
			fmt.Fprintf(&out, "\n    %s%s: %s", w.id, strings.TrimPrefix(" ("+name+")", " ()"), story(w.runs))
			w.mu.Unlock()
		}
	}
	return out.String()
}

// cleanUp ends what the case left running, so that it doesn't keep the servers busy.
func (p *play) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, w := range p.executions {
		if _, ok := ended(w.snapshot()); !ok {
			_ = p.stand.client.TerminateWorkflow(ctx, w.id, "", "the case is over") // it may just have ended
		}
	}
}

func plainFailure(message string) map[string]any {
	return failureTree(&failurepb.Failure{Message: message})
}
