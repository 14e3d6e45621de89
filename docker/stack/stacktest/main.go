package stacktest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"workflow-worker/docker/stack"
)

// The environment by which one server, and one build, serves all test binaries.
const (
	EnvDatabaseURL     = "TEST_DATABASE_URL"     // a superuser's URL of a server with wal_level=logical
	EnvTemporalAddress = "TEST_TEMPORAL_ADDRESS" // host:port; tests use the namespace "default"
	EnvServiceProgram  = "TEST_SERVICE_PROGRAM"  // what ServiceProgram would build, built already
)

// startTimeout covers building Temporal's CLI, which takes minutes the first time.
const startTimeout = 15 * time.Minute

// servers are what the binary's tests share. TestMain owns them; tests reach them
// by a variable of the package because testing.M and testing.T share nothing else.
type servers struct {
	mu       sync.Mutex // guards all below; starting is done once, under it
	running  bool       // within Main
	postgres *stack.Postgres
	temporal *stack.Temporal
	template string // the migrated database that MigratedDatabase copies
	programs string // the folder of ServiceProgram
}

var shared servers

// MainOfWaiting is Main for tests that mostly wait for servers: more of them than there are
// processors run at once, unless -parallel says how many.
func MainOfWaiting(m *testing.M) {
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		fmt.Fprintln(os.Stderr, "stacktest:", err)
		os.Exit(1)
	}
	Main(m)
}

// Main is the body of TestMain: it runs the tests, stops what they made start,
// and ends the process with their exit code.
func Main(m *testing.M) {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		_ = shared.stop() // the process ends by the signal; that is what is told
		os.Exit(130)
	}()

	shared.mu.Lock()
	shared.running = true
	shared.mu.Unlock()
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stacktest:", err)
		if code == 0 {
			code = 1
		}
	}
	os.Exit(code)
}

func (s *servers) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	if s.template != "" {
		err = dropDatabase(ctx, s.adminURL(), s.template)
	}
	if s.temporal != nil {
		err = errors.Join(err, s.temporal.Stop(ctx))
	}
	if s.postgres != nil {
		err = errors.Join(err, s.postgres.Stop(ctx))
	}
	if s.programs != "" {
		err = errors.Join(err, os.RemoveAll(s.programs))
	}
	s.template, s.temporal, s.postgres, s.programs = "", nil, nil, ""
	return err
}

// adminURL is a superuser's URL; the caller holds mu and has started the server.
func (s *servers) adminURL() string {
	if url := os.Getenv(EnvDatabaseURL); url != "" {
		return url
	}
	return s.postgres.URL("postgres")
}

// database returns the superuser's URL of the shared server, starting it if need be.
func (s *servers) database(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if os.Getenv(EnvDatabaseURL) == "" && s.postgres == nil {
		s.mustRun(t)
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		postgres, err := stack.StartPostgres(ctx, stack.PostgresOptions{Progress: os.Stderr})
		if err != nil {
			t.Fatal(err)
		}
		s.postgres = postgres
	}
	return s.adminURL()
}

// mustRun fails a test of a package without TestMain: its server would have no owner.
func (s *servers) mustRun(t testing.TB) {
	t.Helper()
	if !s.running {
		t.Fatal("this package's tests use stacktest: give it `func TestMain(m *testing.M) { stacktest.Main(m) }`")
	}
}
