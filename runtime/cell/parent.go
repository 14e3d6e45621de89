package cell

import (
	"context"
	"log/slog"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"workflow-worker/runtime"
	"workflow-worker/runtime/logkey"
	"workflow-worker/runtime/workflow/wire"
)

// parent serves a cell's calls.
type parent struct{ p *process }

func parentMethods() []grpc.MethodDesc {
	return []grpc.MethodDesc{
		served(methodPut, func(s *parent, ctx context.Context, q put) (ok, error) {
			return ok{}, s.cfg().Store.Put(ctx, q.ProjectID, q.Modules)
		}),
		served(methodGet, func(s *parent, ctx context.Context, q codeRef) (runtime.StoredModule, error) {
			return s.cfg().Store.Get(ctx, q.ProjectID, q.Hash)
		}),
		served(methodPutPackages, func(s *parent, ctx context.Context, q packages) (ok, error) {
			return ok{}, s.cfg().Store.PutPackages(ctx, q.Packages)
		}),
		served(methodGetPackages, func(s *parent, ctx context.Context, q codeRef) (runtime.StoredPackages, error) {
			return s.cfg().Store.GetPackages(ctx, q.Hash)
		}),
		served(methodRead, func(s *parent, _ context.Context, q path) (contents, error) {
			b, err := s.cfg().ReadFile(q.Path)
			return contents{b}, err
		}),
		served(methodTell, (*parent).tell),
	}
}

func (s *parent) cfg() *Config { return &s.p.cells.cfg }

// tell hands news on.
func (s *parent) tell(_ context.Context, n news) (ok, error) {
	cfg := s.cfg()
	for _, e := range n.Events {
		s.event(e, n.Bytes)
	}
	for where, times := range n.Interrupts {
		for range times {
			cfg.Observer.JSInterrupted(where)
		}
	}
	for reason, times := range n.TaskFailures {
		for range times {
			cfg.Observer.WorkflowTaskFailed(reason)
		}
	}
	for _, a := range n.Attempts {
		cfg.Activities.ActivityExecuted(a.ProjectID, a.Name, a.Took, a.Failed)
	}
	for project, u := range n.Usage {
		for i := range u.Tasks {
			cfg.Usage.ProjectTaskEnded(project, i < u.Failed)
		}
		cfg.Usage.ProjectUsedCPU(project, u.CPU)
	}
	for _, c := range n.CodeUsed {
		cfg.Store.Used(c.ProjectID, c.Hash)
	}
	return ok{}, nil
}

func (s *parent) event(e event, bytes [][]byte) {
	cfg := s.cfg()
	switch {
	case e.Kept != nil:
		cfg.KeptCode.ExecutionKeptCode(e.Kept.ProjectID, e.Kept.KeptCode)
	case e.Failing != nil:
		cfg.Failures.ExecutionFailing(e.Failing.ProjectID, e.Failing.Failing)
	case e.GotOn != "":
		cfg.Failures.ExecutionGotOn(e.GotOn)
	case e.Advanced != nil:
		cfg.Progress.ExecutionAdvanced(e.Advanced.ProjectID, e.Advanced.runtime(bytes))
	case e.Step != nil:
		if err := e.Step.tell(cfg.Steps, bytes); err != nil {
			cfg.Logger.Warn("a step of an execution can't be read; its history has it", slog.String(logkey.Error, err.Error()))
		}
	case e.Ended != "":
		s.p.cells.forget(e.Ended, s.p)
	}
}

func (a advance) runtime(bytes [][]byte) runtime.Advance {
	out := runtime.Advance{
		Execution: a.Execution, Type: a.Type, CodeOf: a.CodeOf, Version: a.Version, Hash: a.Hash,
		Progress: wire.Progress{First: a.First, Origin: a.Origin, Code: a.Code, Title: a.Title, Activities: a.Activities},
	}
	if a.Closing >= 0 && a.Closing < len(bytes) {
		var c commandpb.Command
		if proto.Unmarshal(bytes[a.Closing], &c) == nil { // it was made by proto.Marshal
			out.Closing = &c
		}
	}
	return out
}

func (s step) tell(o wire.StepObserver, all [][]byte) error {
	if o == nil || s.First < 0 || s.N < 0 || s.First+s.N > len(all) {
		return nil
	}
	parts, x := all[s.First:s.First+s.N], &commonpb.WorkflowExecution{WorkflowId: s.WorkflowID, RunId: s.RunID}
	switch s.Kind {
	case stepEvents:
		list, err := read[historypb.HistoryEvent](parts)
		if err != nil {
			return err
		}
		o.EventsReceived(x, list)
	case stepCommands:
		list, err := read[commandpb.Command](parts)
		if err != nil {
			return err
		}
		o.CommandsTaken(x, list)
	case stepBegan:
		list, err := read[workflowservice.PollActivityTaskQueueResponse](parts)
		if err != nil {
			return err
		}
		for _, task := range list {
			o.AttemptBegan(task)
		}
	case stepEnded:
		kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(s.Answer))
		if err != nil {
			return err
		}
		for _, b := range parts {
			m := kind.New().Interface()
			if err := proto.Unmarshal(b, m); err != nil {
				return err
			}
			o.AttemptEnded(s.Token, m)
		}
	}
	return nil
}

// read makes messages of bytes.
func read[M any, P interface {
	*M
	proto.Message
}](parts [][]byte) (list []P, err error) {
	for _, b := range parts {
		m := P(new(M))
		if err := proto.Unmarshal(b, m); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}
