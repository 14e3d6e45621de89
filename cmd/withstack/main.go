// Command withstack runs a command beside a PostgreSQL and a Temporal server of
// its own, whose addresses the command finds in TEST_DATABASE_URL and
// TEST_TEMPORAL_ADDRESS, and ends with the command's exit code:
//
//	withstack -- go test ./...
//
// So that the test binaries of all packages share one of each. Addresses that are
// set already are used as they are.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

func init() { stack.EndWithParent() }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	code, err := run(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "withstack:", err)
	}
	os.Exit(code)
}

func run(ctx context.Context, args []string) (code int, err error) {
	if len(args) < 2 || args[0] != "--" {
		return 2, errors.New("usage: withstack -- command [argument...]")
	}
	servers, err := start(ctx)
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err = errors.Join(err, servers.stop(ctx))
		if err != nil && code == 0 {
			code = 1
		}
	}()
	if err != nil {
		return 1, err
	}
	return command(ctx, args[1:], servers.env)
}

// servers are those that we started; an address that was given has none.
type servers struct {
	postgres *stack.Postgres
	temporal *stack.Temporal
	env      []string
}

func start(ctx context.Context) (*servers, error) {
	s := &servers{env: os.Environ()}
	group, ctx := errgroup.WithContext(ctx)
	if os.Getenv(stacktest.EnvDatabaseURL) == "" {
		group.Go(func() (err error) {
			s.postgres, err = stack.StartPostgres(ctx, stack.PostgresOptions{Progress: os.Stderr})
			return err
		})
	}
	if os.Getenv(stacktest.EnvTemporalAddress) == "" {
		group.Go(func() (err error) {
			s.temporal, err = stack.StartTemporal(ctx, stack.TemporalOptions{Headless: true, Progress: os.Stderr})
			return err
		})
	}
	err := group.Wait()
	if s.postgres != nil {
		s.env = append(s.env, stacktest.EnvDatabaseURL+"="+s.postgres.URL("postgres"))
	}
	if s.temporal != nil {
		s.env = append(s.env, stacktest.EnvTemporalAddress+"="+s.temporal.Address())
	}
	return s, err
}

func (s *servers) stop(ctx context.Context) error {
	var err error
	if s.temporal != nil {
		err = s.temporal.Stop(ctx)
	}
	if s.postgres != nil {
		err = errors.Join(err, s.postgres.Stop(ctx))
	}
	return err
}

// command runs in a process group of its own: `go test` does not hand signals on
// to its test binaries, so the whole group gets them.
func command(ctx context.Context, args, env []string) (int, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 127, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		group := -cmd.Process.Pid
		_ = syscall.Kill(group, syscall.SIGTERM)
		select {
		case err = <-ended:
		case <-time.After(10 * time.Second):
			_ = syscall.Kill(group, syscall.SIGKILL)
			err = <-ended
		}
		return 130, errors.Join(context.Cause(ctx), err)
	}
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		if exit.ExitCode() < 0 {
			return 1, err // ended by a signal
		}
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
