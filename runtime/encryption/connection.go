package encryption

import (
	"context"
	"errors"
	"fmt"
	"slices"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"workflow-worker/runtime/workflow/wire"
)

// Config says how payloads are encrypted.
type Config struct {
	// State is the codec. Required.
	State *State
	// Failures has the messages and stacks of failures encrypted, too.
	Failures bool
	// Tasks is what else sees the connection's messages; nil for nothing.
	Tasks *wire.Tasks
}

// Connection encrypts and decrypts what goes over one.
type Connection struct {
	*State

	failures bool
	tasks    *wire.Tasks
}

// New makes one.
func New(c Config) *Connection {
	return &Connection{State: c.State, failures: c.Failures, tasks: c.Tasks}
}

// ClientOptions puts the encryption into a connection, below all that is there already.
func (c *Connection) ClientOptions(o client.Options) client.Options {
	o.ConnectionOptions.DialOptions = append(slices.Clone(o.ConnectionOptions.DialOptions), grpc.WithChainUnaryInterceptor(c.intercept))
	return o
}

// History decrypts a history that came by another way.
func (c *Connection) History(ctx context.Context, h *historypb.History) error {
	return c.decode(ctx, &workflowservice.GetWorkflowExecutionHistoryResponse{History: h})
}

// call is one call on the connection. reply is the caller's.
type call struct {
	ctx    context.Context
	cc     *grpc.ClientConn
	invoke grpc.UnaryInvoker
}

// send makes another call than the caller's, whose context may be nearly over.
func (x call) send(method string, request, reply proto.Message) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.ctx), patience)
	defer cancel()
	return x.invoke(ctx, method, request, reply, x.cc)
}

func (c *Connection) intercept(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	asked, ok := request.(proto.Message)
	answer, alsoOK := reply.(proto.Message)
	if !ok || !alsoOK {
		return invoke(ctx, method, request, reply, cc, opts...)
	}
	x := call{ctx, cc, invoke}
	if polls(asked) {
		if err := c.ready(ctx); err != nil {
			return unavailable("no task is asked for", err)
		}
	}
	sent := proto.Clone(asked) // the SDK tries a call again with the message that it has
	if err := c.encode(ctx, sent); err != nil {
		return c.notSent(x, asked, fmt.Errorf("encrypt payloads: %w", err))
	}
	if err := invoke(ctx, method, sent, reply, cc, opts...); err != nil {
		return c.decodeError(ctx, err)
	}
	return c.received(x, asked, answer)
}

// unavailable is what the SDK, or who called, tries again.
func unavailable(what string, err error) error {
	return status.Errorf(codes.Unavailable, "%s: %v", what, err)
}

// polls tells what asks for a task.
func polls(m proto.Message) bool {
	switch m.(type) {
	case *workflowservice.PollWorkflowTaskQueueRequest, *workflowservice.PollActivityTaskQueueRequest, *workflowservice.PollNexusTaskQueueRequest:
		return true
	}
	return false
}

// notSent says that a message couldn't be encrypted. A workflow task whose answer it is fails, so
// that its history says why.
func (c *Connection) notSent(x call, asked proto.Message, err error) error {
	r, ok := asked.(*workflowservice.RespondWorkflowTaskCompletedRequest)
	if !ok {
		return unavailable("it isn't sent", err)
	}
	if failing := x.failWorkflowTask(r.GetNamespace(), r.GetIdentity(), r.GetTaskToken(), err); failing != nil {
		return unavailable("it isn't sent", err)
	}
	// The SDK gives up the task, and what it has of the execution.
	return status.Errorf(codes.NotFound, "the workflow task has failed: %v", err)
}

// received decrypts what the server answered. What can't be read goes back, or is an error where
// somebody would work on it.
func (c *Connection) received(x call, asked, answer proto.Message) error {
	switch m := answer.(type) {
	case *workflowservice.PollWorkflowTaskQueueResponse:
		r, ok := asked.(*workflowservice.PollWorkflowTaskQueueRequest)
		if err := c.decode(x.ctx, m); err != nil && ok {
			return c.notRead(err, m, x.refuse(r.GetNamespace(), r.GetIdentity(), m, err))
		}
	case *workflowservice.PollActivityTaskQueueResponse:
		r, ok := asked.(*workflowservice.PollActivityTaskQueueRequest)
		if err := c.decodeActivity(x.ctx, r.GetTaskQueue().GetName(), m); err != nil && ok {
			return c.notRead(err, m, x.failActivityTask(r.GetNamespace(), r.GetIdentity(), m.GetTaskToken(), err))
		}
	case *workflowservice.RespondWorkflowTaskCompletedResponse:
		// The server has taken the answer, whatever is with what follows it.
		r, ok := asked.(*workflowservice.RespondWorkflowTaskCompletedRequest)
		if ok {
			c.followUp(x, r, m)
		}
	default:
		err := c.decode(x.ctx, answer)
		switch {
		case err == nil:
		case !isUnreadable(err):
			return unavailable("decrypt payloads", err)
		case worksOn(answer):
			return status.Errorf(codes.FailedPrecondition, "decrypt payloads: %v", err)
		}
	}
	return nil
}

// worksOn tells answers that nobody can do anything with who can't read all of them.
func worksOn(answer proto.Message) bool {
	switch answer.(type) {
	case *workflowservice.GetWorkflowExecutionHistoryResponse, *workflowservice.PollNexusTaskQueueResponse, *workflowservice.QueryWorkflowResponse,
		*workflowservice.UpdateWorkflowExecutionResponse, *workflowservice.PollWorkflowExecutionUpdateResponse:
		return true
	}
	return false
}

// notRead is what a poll ends with whose task went back.
func (c *Connection) notRead(err error, task proto.Message, refusing error) error {
	proto.Reset(task)
	if isUnreadable(err) {
		return nil // other tasks can be read
	}
	if refusing != nil {
		err = errors.Join(err, refusing)
	}
	return unavailable("a task couldn't be read", err)
}

// followUp decrypts the tasks that an answer to another brought.
func (c *Connection) followUp(x call, r *workflowservice.RespondWorkflowTaskCompletedRequest, m *workflowservice.RespondWorkflowTaskCompletedResponse) {
	if task := m.GetWorkflowTask(); task != nil {
		if err := c.decode(x.ctx, task); err != nil {
			m.WorkflowTask = nil
			_ = x.refuse(r.GetNamespace(), r.GetIdentity(), task, err) // otherwise it times out
		}
	}
	readable := m.ActivityTasks[:0]
	for _, task := range m.GetActivityTasks() {
		if err := c.decode(x.ctx, task); err != nil {
			_ = x.failActivityTask(r.GetNamespace(), r.GetIdentity(), task.GetTaskToken(), err)
			continue
		}
		readable = append(readable, task)
	}
	m.ActivityTasks = readable
}
