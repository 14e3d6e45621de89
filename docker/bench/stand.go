package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"golang.org/x/sync/errgroup"

	"workflow-worker/docker/stack"
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
		b.postgres, err = stack.StartPostgres(ctx, stack.PostgresOptions{Progress: b.progress})
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
	b.client, err = client.Dial(client.Options{
		HostPort: b.temporal.Address(), Namespace: b.temporal.Namespace(),
		Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	return err
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

// withService runs f beside a service on a database of its own, which the service
// has migrated, and stops the service after it.
func (b *bench) withService(ctx context.Context, f func(*service, *rows) error) (err error) {
	url, err := b.newDatabase(ctx)
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	s, err := b.startService(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop(ctx)) }()
	return f(s, &rows{pool: pool})
}

// startService starts the service's binary and waits until it can do its job.
func (b *bench) startService(ctx context.Context, databaseURL string) (*service, error) {
	log := io.Discard
	if b.options.verbose {
		log = os.Stderr
	}
	return startService(ctx, b.options.binary, log, map[string]string{
		"DATABASE_URL":       databaseURL,
		"TEMPORAL_ADDRESS":   b.temporal.Address(),
		"TEMPORAL_NAMESPACE": b.temporal.Namespace(),
		"LOG_LEVEL":          "warn",
	})
}

// execute runs one workflow to its end and returns its result.
func (b *bench) execute(ctx context.Context, taskQueue, workflow string, args ...any) (result string, err error) {
	run, err := b.begin(ctx, taskQueue, workflow, args...)
	if err != nil {
		return "", err
	}
	if err := run.Get(ctx, &result); err != nil {
		return "", fmt.Errorf("workflow %s on %s: %w", workflow, taskQueue, err)
	}
	return result, nil
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
