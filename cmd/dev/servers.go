package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"

	"workflow-worker/cmd/dev/devenv"
	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/program"
)

// The ports that are tried first, so that addresses stay the same from day to
// day. Not 5432: a PostgreSQL of the machine's own may be there.
const (
	postgresPort   = 54329
	temporalPort   = 7233
	temporalUIPort = 8233
	servicePort    = 3011
)

const databaseName = "workflow_worker"

// stopTimeout is how long the service may take to let running tasks finish.
const stopTimeout = 60 * time.Second

// servers are what `make dev` runs. A server that the environment names instead
// (DATABASE_URL, TEMPORAL_ADDRESS) is used and left alone.
type servers struct {
	dev      *dev
	postgres *stack.Postgres
	temporal *stack.Temporal
	service  *program.Service

	log heldLog // the service's

	databaseURL, temporalAddress, namespace, serviceURL string
}

func (s *servers) start(ctx context.Context) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.startPostgres(groupCtx) })
	group.Go(func() error { return s.startTemporal(groupCtx) })
	group.Go(func() error { return s.buildService(groupCtx) })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	return s.startService(ctx)
}

func (s *servers) startPostgres(ctx context.Context) error {
	if given := os.Getenv("DATABASE_URL"); given != "" {
		s.databaseURL = given
		step("PostgreSQL", "DATABASE_URL's, used as it is")
		return nil
	}
	begun := time.Now()
	log, err := os.Create(s.dev.file("postgres.log"))
	if err != nil {
		return err
	}
	port, err := choosePort("PostgreSQL", postgresPort)
	if err != nil {
		return err
	}
	s.postgres, err = stack.StartPostgres(ctx, stack.PostgresOptions{
		Dir: s.dev.file("postgres"), Port: port, Log: log, Progress: progress("PostgreSQL"),
	})
	if err != nil {
		return err
	}
	if err := createDatabase(ctx, s.postgres.URL("postgres")); err != nil {
		return err
	}
	s.databaseURL = s.postgres.URL(databaseName)
	stepTook("PostgreSQL", "ready", begun)
	return nil
}

// createDatabase does so by lib/pq, which embedded-postgres brings along: pgx takes much longer to
// compile, and servers start while it does.
func createDatabase(ctx context.Context, adminURL string) error {
	db, err := sql.Open("postgres", adminURL)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+databaseName)
	var refused *pq.Error
	if errors.As(err, &refused) && refused.Code == duplicateDatabase {
		return nil
	}
	return err
}

// duplicateDatabase is what PostgreSQL says of a database that is there already.
const duplicateDatabase = "42P04"

func (s *servers) startTemporal(ctx context.Context) error {
	s.namespace = os.Getenv("TEMPORAL_NAMESPACE")
	if s.namespace == "" {
		s.namespace = "default"
	}
	if given := os.Getenv("TEMPORAL_ADDRESS"); given != "" {
		s.temporalAddress = given
		step("Temporal", "TEMPORAL_ADDRESS's, used as it is")
		return nil
	}
	begun := time.Now()
	log, err := os.Create(s.dev.file("temporal.log"))
	if err != nil {
		return err
	}
	port, err := choosePort("Temporal", temporalPort)
	if err != nil {
		return err
	}
	uiPort, err := choosePort("Temporal UI", temporalUIPort)
	if err != nil {
		return err
	}
	s.temporal, err = stack.StartTemporal(ctx, stack.TemporalOptions{
		DBFile: s.dev.file("temporal.db"), Port: port, UIPort: uiPort, Namespace: s.namespace, Log: log, Progress: progress("Temporal"),
	})
	if err != nil {
		return err
	}
	s.temporalAddress = s.temporal.Address()
	stepTook("Temporal", "ready", begun)
	return nil
}

func (s *servers) migrate(ctx context.Context) error {
	begun := time.Now()
	out := new(bytes.Buffer)
	cmd := s.command(ctx, "migrate")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("bin/workflow-worker migrate: %w\n%s", err, out)
	}
	stepTook("migrations", "done", begun)
	return nil
}

func (s *servers) startService(ctx context.Context) error {
	s.tellSettings(os.Environ())
	begun := time.Now()
	port := servicePort
	if given := os.Getenv("WORKER_SERVICE_PORT"); given != "" {
		var err error
		if port, err = strconv.Atoi(given); err != nil {
			return fmt.Errorf("WORKER_SERVICE_PORT %q is not a number", given)
		}
	}
	port, err := choosePort("service", port)
	if err != nil {
		return err
	}
	s.serviceURL = "http://127.0.0.1:" + strconv.Itoa(port)
	s.log.next = os.Stdout
	environment := append([]string{"WORKER_SERVICE_HOST="}, s.environment(os.Environ())...) // the service's own default
	if s.service, err = program.Start(ctx, program.Options{
		File: s.program(), Port: port, Log: &s.log,
		Environment: append(environment, "WORKER_SERVICE_PORT="+strconv.Itoa(port), "MIGRATE_ON_START=false"),
	}); err != nil {
		return err
	}
	if err := s.service.WaitFor(ctx, "/health"); err != nil {
		return err // it has the log's end
	}
	stepTook("service", "ready", begun)
	return nil
}

// buildService builds it beside the servers' start: compiling waits for nothing of theirs.
func (s *servers) buildService(ctx context.Context) error {
	if len(s.dev.build) == 0 {
		return nil
	}
	begun := time.Now()
	cmd := exec.CommandContext(ctx, s.dev.build[0], s.dev.build[1:]...)
	cmd.Dir = s.dev.root
	said := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = io.MultiWriter(said, progress("build")), io.MultiWriter(said, progress("build"))
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(s.dev.build, " "), err, said)
	}
	stepTook("build", "done", begun)
	return nil
}

// settingRow is a row of the settings' table, with the variables that it is about.
var settingRow = regexp.MustCompile("(?m)^\\| (`[A-Z_`, ]+`) \\|")

// tellSettings says which of the service's settings come from this shell: a forgotten one surprises.
func (s *servers) tellSettings(ours []string) {
	page, err := os.ReadFile(filepath.Join(s.dev.root, "cmd", "workflow-worker", "README.md"))
	if err != nil {
		return // not a checkout: nothing but a remark is lost
	}
	var names []string
	for _, row := range settingRow.FindAllStringSubmatch(string(page), -1) {
		for name := range strings.SplitSeq(row[1], ",") {
			names = append(names, strings.Trim(name, " `"))
		}
	}
	var passed, left []string
	for _, setting := range ours {
		name, value, _ := strings.Cut(setting, "=")
		switch {
		case value == "":
		case s.isForAnother(name):
			left = append(left, name)
		case slices.Contains(names, name) || slices.Contains(names, strings.TrimSuffix(name, "_FILE")):
			passed = append(passed, name)
		}
	}
	slices.Sort(passed)
	slices.Sort(left)
	if len(passed) > 0 {
		step("settings", "from this shell: "+strings.Join(passed, ", "))
	}
	if len(left) > 0 {
		step("settings", "not passed on, for they are about another server: "+strings.Join(left, ", "))
	}
}

// isForAnother tells variables that are meant for a server that we run one of instead.
func (s *servers) isForAnother(name string) bool {
	return s.postgres != nil && (name == "REPLICATION_DATABASE_URL" || name == "REPLICATION_DATABASE_URL_FILE" || name == "DATABASE_URL_FILE") ||
		s.temporal != nil && strings.HasPrefix(name, "TEMPORAL_")
}

func (s *servers) program() string { return filepath.Join(s.dev.root, "bin", "workflow-worker") }

// command is the service's binary with the addresses in its environment.
func (s *servers) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.program(), args...)
	cmd.Env = s.environment(os.Environ())
	return cmd
}

// environment is ours, without what is meant for a server that we run one of
// instead: a replication URL, or TLS and API key of somebody's Temporal.
func (s *servers) environment(ours []string) []string {
	defaults := map[string]string{
		"WORKER_SERVICE_HOST": "127.0.0.1", // nobody else's business
		"LOG_FORMAT":          "text",      // a person reads it
	}
	var env []string
	for _, setting := range ours {
		name, value, _ := strings.Cut(setting, "=")
		if s.isForAnother(name) {
			continue
		}
		if value != "" {
			delete(defaults, name)
		}
		env = append(env, setting)
	}
	for name, value := range defaults {
		env = append(env, name+"="+value)
	}
	if s.temporal != nil {
		env = append(env, "TEMPORAL_CONFIG_FILE="+os.DevNull) // the user's, in the home directory, is not for this server
	}
	return append(env, "DATABASE_URL="+s.databaseURL, "TEMPORAL_ADDRESS="+s.temporalAddress, "TEMPORAL_NAMESPACE="+s.namespace)
}

// wait returns when somebody asks to stop, or when a server has ended by itself.
func (s *servers) wait(ctx context.Context) error {
	var temporal <-chan struct{} // nil, so never ready, when it is not ours
	if s.temporal != nil {
		temporal = s.temporal.Done()
	}
	select {
	case <-ctx.Done():
		fmt.Println()
		return nil
	case <-s.service.Done():
		return s.service.Ended()
	case <-temporal:
		return fmt.Errorf("the Temporal server ended by itself; its log: %s", s.dev.file("temporal.log"))
	}
}

// stop ends what was started, the service first, so that it can hand its work back.
func (s *servers) stop(ctx context.Context) error {
	var err error
	if s.service != nil {
		begun := time.Now()
		ctx, cancel := context.WithTimeout(ctx, stopTimeout)
		defer cancel()
		select {
		case <-s.service.Done():
		default:
			if stopErr := s.service.Stop(ctx); stopErr != nil {
				err = fmt.Errorf("stop the service: %w", stopErr)
			}
			stepTook("service", "stopped", begun)
		}
	}
	if s.temporal != nil {
		begun := time.Now()
		err = errors.Join(err, s.temporal.Stop(ctx))
		stepTook("Temporal", "stopped", begun)
	}
	if s.postgres != nil {
		begun := time.Now()
		err = errors.Join(err, s.postgres.Stop(ctx))
		stepTook("PostgreSQL", "stopped", begun)
	}
	return errors.Join(err, devenv.Remove(s.dev.root))
}

func (s *servers) tellAddresses() error {
	a := devenv.Addresses{
		DatabaseURL: s.databaseURL, TemporalAddress: s.temporalAddress, TemporalNamespace: s.namespace, ServiceURL: s.serviceURL,
	}
	if s.temporal != nil {
		a.TemporalUI = s.temporal.UIAddress()
	}
	return devenv.Write(s.dev.root, a)
}

// choosePort takes the port that people know, or, where it is taken, a free one.
func choosePort(who string, port int) (int, error) {
	if stack.PortIsFree(port) {
		return port, nil
	}
	free, err := stack.FreePort()
	if err != nil {
		return 0, err
	}
	step(who, fmt.Sprintf("port %d is taken, so %d", port, free))
	return free, nil
}

// withoutPassword is a URL fit for showing.
func withoutPassword(databaseURL string) string {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "DATABASE_URL"
	}
	return u.Redacted()
}
