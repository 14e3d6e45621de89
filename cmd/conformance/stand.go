package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"golang.org/x/sync/errgroup"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/program"
)

// stand is what cases run on: the servers, the service's process, and the local web that activities
// talk to.
type stand struct {
	o        options
	progress io.Writer

	postgres *stack.Postgres
	temporal *stack.Temporal
	client   client.Client
	pool     *pgxpool.Pool
	web      *web
	service  *program.Service // whose conformance is in question
}

const database = "conformance"

func (s *stand) start(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if s.postgres, err = stack.StartPostgres(ctx, stack.PostgresOptions{Progress: s.progress}); err != nil {
			return err
		}
		return s.createDatabase(ctx)
	})
	group.Go(func() (err error) {
		if s.temporal, err = stack.StartTemporal(ctx, stack.TemporalOptions{Headless: true, Progress: s.progress}); err != nil {
			return err
		}
		return s.prepareTemporal(ctx)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	var err error
	if s.web, err = startWeb(); err != nil {
		return err
	}
	return nil
}

func (s *stand) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.postgres.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+database); err != nil {
		return err
	}
	// Not the context of starting: the pool lives on.
	s.pool, err = pgxpool.New(context.WithoutCancel(ctx), s.postgres.URL(database))
	return err
}

// The search attributes that cases may use.
var searchAttributes = map[string]enumspb.IndexedValueType{
	"ConfKeyword":  enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	"ConfKeywords": enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST,
	"ConfText":     enumspb.INDEXED_VALUE_TYPE_TEXT,
	"ConfInt":      enumspb.INDEXED_VALUE_TYPE_INT,
	"ConfDouble":   enumspb.INDEXED_VALUE_TYPE_DOUBLE,
	"ConfBool":     enumspb.INDEXED_VALUE_TYPE_BOOL,
	"ConfDatetime": enumspb.INDEXED_VALUE_TYPE_DATETIME,
}

func (s *stand) prepareTemporal(ctx context.Context) (err error) {
	s.client, err = client.Dial(client.Options{
		HostPort: s.temporal.Address(), Namespace: s.temporal.Namespace(),
		Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	_, err = s.client.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: s.temporal.Namespace(), SearchAttributes: searchAttributes,
	})
	return err
}

func (s *stand) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var errs []error
	if s.service != nil {
		errs = append(errs, s.service.End(ctx))
	}
	if s.web != nil {
		s.web.stop()
	}
	if s.client != nil {
		s.client.Close()
	}
	if s.pool != nil {
		s.pool.Close()
	}
	if s.temporal != nil {
		errs = append(errs, s.temporal.Stop(ctx))
	}
	if s.postgres != nil {
		errs = append(errs, s.postgres.Stop(ctx))
	}
	return errors.Join(errs...)
}

// activityEnvironment is what activities are allowed to see, and activitySecret what they are not.
const (
	activityEnvironment = "CONFORMANCE_VISIBLE"
	activitySecret      = "CONFORMANCE_SECRET"
)

func (s *stand) startService(ctx context.Context) error {
	packages, err := stack.NodePackages(ctx, os.Stderr)
	if err != nil {
		return err
	}
	environment := []string{
		"DATABASE_URL=" + s.postgres.URL(database),
		"TEMPORAL_ADDRESS=" + s.temporal.Address(),
		"HEARTBEAT_INTERVAL=1s",
		// One loopback address: what isn't public is refused, whatever the machine's networks are.
		"HTTP_ALLOW=127.0.0.1",
		"ACTIVITY_ENV_ALLOW=" + activityEnvironment,
		"MODULES_DIR=" + packages,
		activityEnvironment + "=visible", activitySecret + "=secret",
	}
	if s.o.uncached {
		environment = append(environment, "WORKFLOW_CACHE_SIZE=1")
	}
	if s.service, err = program.Start(ctx, program.Options{File: s.o.binary, Environment: environment}); err != nil {
		return err
	}
	return s.service.WaitReady(ctx)
}

// lines keeps a log, its end at least.
type lines struct {
	mu   sync.Mutex // guards kept
	kept []byte
}

func (l *lines) Write(b []byte) (int, error) {
	const most = 4 << 20
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, b...)
	if n := len(l.kept) - most; n > 0 {
		l.kept = append(l.kept[:0], l.kept[n:]...)
	}
	return len(b), nil
}

// String is the end of the log.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.kept[max(0, len(l.kept)-8<<10):])
}
