package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
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
	service  *service
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
		errs = append(errs, s.service.stop(ctx))
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

// service is the process whose conformance is in question.
type service struct {
	*stack.Process
	health string
	log    *lines
}

// activityEnvironment is what activities are allowed to see, and activitySecret what they are not.
const (
	activityEnvironment = "CONFORMANCE_VISIBLE"
	activitySecret      = "CONFORMANCE_SECRET"
)

func (s *stand) startService(ctx context.Context) error {
	port, err := stack.FreePort()
	if err != nil {
		return err
	}
	packages, err := stack.NodePackages(ctx, os.Stderr)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), s.o.binary)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"),
		"DATABASE_URL=" + s.postgres.URL(database),
		"TEMPORAL_ADDRESS=" + s.temporal.Address(),
		"WORKER_SERVICE_HOST=127.0.0.1", "WORKER_SERVICE_PORT=" + strconv.Itoa(port),
		"HEARTBEAT_INTERVAL=1s",
		// One loopback address: what isn't public is refused, whatever the machine's networks are.
		"HTTP_ALLOW=127.0.0.1",
		"ACTIVITY_ENV_ALLOW=" + activityEnvironment,
		"MODULES_DIR=" + packages,
		activityEnvironment + "=visible", activitySecret + "=secret",
	}
	if s.o.uncached {
		cmd.Env = append(cmd.Env, "WORKFLOW_CACHE_SIZE=1")
	}
	s.service = &service{health: fmt.Sprintf("http://127.0.0.1:%d/health/ready", port), log: &lines{}}
	if s.service.Process, err = stack.StartProcess(cmd, s.service.log); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("it is not ready after a minute"))
	defer cancel()
	err = waitFor(ctx, 20*time.Millisecond, func() (bool, error) {
		select {
		case <-s.service.Done():
			return false, errors.New("it ended before it was ready")
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.service.health, nil)
		if err != nil {
			return false, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, nil //nolint:nilerr // it doesn't listen yet
		}
		return resp.StatusCode == http.StatusOK, resp.Body.Close()
	})
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", s.o.binary, err, s.service.log)
	}
	return nil
}

func (s *service) stop(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("the service ended with %w\n%s", err, s.log)
	}
	return nil
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

// all is the whole log.
func (l *lines) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Clone(string(l.kept))
}

// waitFor asks until done says so, fails, or ctx ends.
func waitFor(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
