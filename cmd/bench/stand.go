package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"golang.org/x/sync/errgroup"

	"workflow-worker/docker/stack"
	"workflow-worker/runtime/workflow/wire"
)

// bench is the test stand: the servers, and what was measured on them.
type bench struct {
	options  options
	progress io.Writer
	report   report

	postgres  *stack.Postgres
	temporal  *stack.Temporal
	client    client.Client
	databases int
}

// workflowTimeout is when a workflow that should take milliseconds is given up.
const workflowTimeout = 60 * time.Second

func (b *bench) start(ctx context.Context) error {
	b.say("starting PostgreSQL and Temporal")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		b.postgres, err = stack.StartPostgres(ctx, stack.PostgresOptions{Progress: b.progress, Settings: map[string]string{
			"full_page_writes": "on", // as where it counts: what is written includes them
		}})
		return err
	})
	group.Go(func() (err error) {
		b.temporal, err = stack.StartTemporal(ctx, stack.TemporalOptions{Headless: true, Progress: b.progress})
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	var err error
	b.client, err = dial(b.temporal)
	return err
}

func dial(t *stack.Temporal) (client.Client, error) {
	return client.Dial(client.Options{
		HostPort: t.Address(), Namespace: t.Namespace(),
		Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
}

func (b *bench) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	var err error
	if b.client != nil {
		b.client.Close()
	}
	if b.temporal != nil {
		err = b.temporal.Stop(ctx)
	}
	if b.postgres != nil {
		err = errors.Join(err, b.postgres.Stop(ctx))
	}
	return err
}

// say tells the person who waits what happens now.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "· "+format+"\n", args...)
}

// newDatabase makes an empty database, so that a part starts from nothing.
func (b *bench) newDatabase(ctx context.Context) (url string, err error) {
	b.databases++
	name := fmt.Sprintf("bench_%d", b.databases)
	conn, err := pgx.Connect(ctx, b.postgres.URL("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	return b.postgres.URL(name), nil
}

// withDatabase runs f on an empty database of its own.
func (b *bench) withDatabase(ctx context.Context, f func(url string, r *rows) error) error {
	url, err := b.newDatabase(ctx)
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	return f(url, &rows{pool: pool})
}

// withService runs f beside a service on a database of its own, which the service
// has migrated, and stops the service after it.
func (b *bench) withService(ctx context.Context, f func(*service, *rows) error) error {
	return b.withDatabase(ctx, func(url string, r *rows) (err error) {
		s, err := b.startService(ctx, url, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.End(ctx)) }()
		return f(s, r)
	})
}

// startService starts the service's binary and waits until it can do its job.
func (b *bench) startService(ctx context.Context, databaseURL string, more map[string]string) (*service, error) {
	log := io.Discard
	if b.options.verbose {
		log = os.Stderr
	}
	settings := map[string]string{
		"DATABASE_URL":       databaseURL,
		"TEMPORAL_ADDRESS":   b.temporal.Address(),
		"TEMPORAL_NAMESPACE": b.temporal.Namespace(),
		"LOG_LEVEL":          "warn",
	}
	if b.options.cells >= 0 {
		settings["CELLS"] = strconv.Itoa(b.options.cells)
	}
	maps.Copy(settings, more)
	for _, text := range b.options.settings {
		name, value, _ := strings.Cut(text, "=")
		settings[name] = value
	}
	return startService(ctx, b.options.binary, log, settings)
}

// execute runs one workflow to its end and returns its result.
func (b *bench) execute(ctx context.Context, taskQueue, workflow string, args ...any) (result string, err error) {
	run, err := b.begin(ctx, taskQueue, workflow, args...)
	if err != nil {
		return "", err
	}
	return b.finish(ctx, run)
}

// finish waits for a workflow's result. errHung wraps the error of one that ended, but of which a
// task was lost on the way.
func (b *bench) finish(ctx context.Context, run client.WorkflowRun) (result string, err error) {
	began := time.Now()
	if err := run.Get(ctx, &result); err != nil {
		return "", fmt.Errorf("workflow %s: %w", run.GetID(), err)
	}
	if time.Since(began) <= suspicious {
		return result, nil
	}
	// Neither a busy machine nor a late answer to the client is a lost task; the history tells.
	lost, err := b.lostTask(ctx, run)
	if err != nil {
		return result, err
	}
	if lost != "" {
		return result, fmt.Errorf("%w: %s of workflow %s", errHung, lost, run.GetID())
	}
	return result, nil
}

// suspicious is how long a workflow of some milliseconds may take before its history is looked at:
// the server gives a lost workflow task out again after ten seconds.
const suspicious = 4 * time.Second

// errHung is a task that a worker was given and didn't do.
var errHung = errors.New("a task was lost")

// lostTask names the first task in a history that timed out; "" if there is none.
func (b *bench) lostTask(ctx context.Context, run client.WorkflowRun) (string, error) {
	events := b.client.GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return "", fmt.Errorf("read the history of %s: %w", run.GetID(), err)
		}
		if what := lostIn(e); what != "" {
			return what, nil
		}
	}
	return "", nil
}

// lostIn names a task that an event says was lost.
func lostIn(e *historypb.HistoryEvent) string {
	switch e.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
		// One that nobody took in time from a worker's own queue is a worker that had no time.
		if !wire.ServersOwn(e) {
			return fmt.Sprintf("event %d: the workflow task timed out", e.GetEventId())
		}
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
		return fmt.Sprintf("event %d: an activity timed out", e.GetEventId())
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		// No activity here fails; a second attempt follows one that timed out.
		if a := e.GetActivityTaskStartedEventAttributes(); a.GetAttempt() > 1 {
			return fmt.Sprintf("event %d: an activity needed %d attempts", e.GetEventId(), a.GetAttempt())
		}
	}
	return ""
}

func (b *bench) begin(ctx context.Context, taskQueue, workflow string, args ...any) (client.WorkflowRun, error) {
	run, err := b.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		TaskQueue: taskQueue, WorkflowExecutionTimeout: workflowTimeout,
	}, workflow, args...)
	if err != nil {
		return nil, fmt.Errorf("start workflow %s on %s: %w", workflow, taskQueue, err)
	}
	return run, nil
}
