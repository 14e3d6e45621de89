package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"workflow-worker/docker/stack"
)

// nativeCommand makes this program the second process: the same workflows in Go,
// on a worker per project as the service has it. It is the limit for anything
// that interprets code on the Go SDK.
const nativeCommand = "native-worker"

// serveNative reads lines of task queues and starts a worker for each; it answers
// a line with one when they poll. It ends with its input.
func serveNative(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	var address, namespace string
	f := flag.NewFlagSet(nativeCommand, flag.ContinueOnError)
	f.StringVar(&address, "address", "", "Temporal")
	f.StringVar(&namespace, "namespace", "default", "Temporal's namespace")
	if err := f.Parse(args); err != nil {
		return err
	}
	c, err := client.DialContext(ctx, client.Options{
		// As the service has it, so that the two compare.
		ConnectionOptions: client.ConnectionOptions{GrpcCompression: &client.GrpcCompressionNone{}},
		HostPort:          address, Namespace: namespace, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Fprintln(out, "ready")
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		for queue := range strings.FieldsSeq(lines.Text()) {
			w := newNativeWorker(c, queue)
			if err := w.Start(); err != nil {
				return err
			}
			defer w.Stop() // all of them, at the end of the input
		}
		fmt.Fprintln(out, "ready")
	}
	return lines.Err()
}

func newNativeWorker(c client.Client, taskQueue string) worker.Worker {
	w := worker.New(c, taskQueue, worker.Options{
		MaxConcurrentActivityExecutionSize:     10,
		MaxConcurrentWorkflowTaskExecutionSize: 10,
		MaxConcurrentWorkflowTaskPollers:       2,
		MaxConcurrentActivityTaskPollers:       2,
	})
	w.RegisterActivityWithOptions(nativeEcho, activity.RegisterOptions{Name: "echo"})
	for name, run := range map[string]any{
		wfVersion: func(workflow.Context) (string, error) { return "native", nil },
		wfNoop:    func(workflow.Context) (string, error) { return "ok", nil },
		wfOne:     func(ctx workflow.Context) (string, error) { return nativeInARow(ctx, 1) },
		wfSlow:    nativeSlow,
		wfFive:    func(ctx workflow.Context) (string, error) { return nativeInARow(ctx, 5) },
		wfFanOut:  nativeFanOut,
		wfSignal:  nativeSignal,
	} {
		w.RegisterWorkflowWithOptions(run, workflow.RegisterOptions{Name: name})
	}
	w.RegisterActivity(nativeLong)
	for _, way := range besideWays {
		if way.native != nil {
			w.RegisterWorkflowWithOptions(way.native, workflow.RegisterOptions{Name: wayPrefix + way.name})
		}
	}
	return w
}

type echoInput struct {
	N    int `json:"n"`
	Wait int `json:"wait,omitempty"` // milliseconds
}

// slowFor is how long the activity of wfSlow takes.
const slowFor = 2 * time.Second

func nativeEcho(ctx context.Context, in echoInput) (int, error) {
	return in.N, sleep(ctx, time.Duration(in.Wait)*time.Millisecond)
}

func withActivities(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
}

func nativeInARow(ctx workflow.Context, times int) (string, error) {
	ctx = withActivities(ctx)
	sum := 0
	for i := 1; i <= times; i++ {
		var n int
		if err := workflow.ExecuteActivity(ctx, "echo", echoInput{N: i}).Get(ctx, &n); err != nil {
			return "", err
		}
		sum += n
	}
	return strconv.Itoa(sum), nil
}

func nativeSlow(ctx workflow.Context) (string, error) {
	var n int
	err := workflow.ExecuteActivity(withActivities(ctx), "echo", echoInput{1, int(slowFor.Milliseconds())}).Get(ctx, &n)
	return strconv.Itoa(n), err
}

func nativeFanOut(ctx workflow.Context) (string, error) {
	ctx = withActivities(ctx)
	var all []workflow.Future
	for i := range 50 {
		all = append(all, workflow.ExecuteActivity(ctx, "echo", echoInput{N: i}))
	}
	sum := 0
	for _, future := range all {
		var n int
		if err := future.Get(ctx, &n); err != nil {
			return "", err
		}
		sum += n
	}
	return strconv.Itoa(sum), nil
}

func nativeSignal(ctx workflow.Context) (word string, err error) {
	workflow.Go(ctx, func(ctx workflow.Context) { workflow.GetSignalChannel(ctx, sigGo).Receive(ctx, &word) })
	if err := workflow.Await(ctx, func() bool { return word != "" }); err != nil {
		return "", err
	}
	return word, workflow.Sleep(ctx, 10*time.Millisecond)
}

// native is the second process, seen from the first.
type native struct {
	*stack.Process
	commands io.WriteCloser
	answers  chan string
}

// startNative starts this program again as the native worker.
func (b *bench) startNative(ctx context.Context) (*native, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, nativeCommand,
		"-address", b.temporal.Address(), "-namespace", b.temporal.Namespace())
	n := &native{answers: make(chan string, 16)}
	if n.commands, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	output := stack.Lines(func(line string) {
		select {
		case n.answers <- line:
		default: // nobody waits for so many
		}
	})
	if n.Process, err = stack.StartProcess(cmd, output); err != nil {
		return nil, err
	}
	if err := n.waitReady(ctx); err != nil {
		return nil, errors.Join(err, n.stop(ctx))
	}
	return n, nil
}

// add starts a worker for each task queue and waits until they have begun to poll.
func (n *native) add(ctx context.Context, taskQueues ...string) error {
	if _, err := io.WriteString(n.commands, strings.Join(taskQueues, " ")+"\n"); err != nil {
		return fmt.Errorf("native worker: %w", err)
	}
	return n.waitReady(ctx)
}

func (n *native) waitReady(ctx context.Context) error {
	select {
	case answer := <-n.answers:
		if answer != "ready" {
			return fmt.Errorf("native worker: %s", answer)
		}
		return nil
	case <-n.Done():
		return fmt.Errorf("native worker ended: %w", n.Err())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (n *native) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	_ = n.commands.Close() // its end is the command to end
	select {
	case <-n.Done():
		return n.Err()
	case <-ctx.Done():
		return n.Stop(ctx)
	}
}
