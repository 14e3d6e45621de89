package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

func (s *service) health(status int, words ...string) func() error {
	return func() error {
		got, body, err := s.get("/health")
		if err == nil && got != status {
			err = fmt.Errorf("%d: %s", got, body)
		}
		for _, w := range words {
			if err == nil && !strings.Contains(body, w) {
				err = fmt.Errorf("no %s in %s", w, body)
			}
		}
		return err
	}
}

func TestATemporalThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	port, err := stack.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	db := stacktest.MigratedDatabase(t)
	s := launchService(t, db, "TEMPORAL_ADDRESS="+address)
	p := newBuilder(t, db).project()
	p.workflow("one", `export async function one() { return 1 }`)
	eventually(t, "the row says why", func() error {
		w, err := p.worker()
		if err == nil && (w.Status != "failed" || !strings.Contains(w.Metadata.Error, address)) {
			err = fmt.Errorf("%s: %s", w.Status, w.Metadata.Error)
		}
		return err
	})
	eventually(t, "health says so", s.health(http.StatusServiceUnavailable, `"status":"unavailable"`, address))

	stacktest.Temporal(t, stack.TemporalOptions{Port: port})
	p.running(nil)
	eventually(t, "health is well", s.health(http.StatusOK, `"status":"ok"`))
	if p.temporal, err = client.Dial(client.Options{HostPort: address}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.temporal.Close)
	if got := run[int](p, "one"); got != 1 {
		t.Errorf("one = %d", got)
	}
}

func TestADatabaseThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{})
	if err := server.StopServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := launchService(t, server.URL("postgres"))
	eventually(t, "health says so", s.health(http.StatusServiceUnavailable, `"status":"unavailable"`))
	if err := server.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	// It migrates too: this database was empty.
	eventually(t, "it is ready", func() error {
		status, body, err := s.get("/health/ready")
		if err == nil && status != http.StatusOK {
			err = errors.New(body)
		}
		return err
	})
	p := newBuilder(t, server.URL("postgres")).project()
	p.workflow("one", `export async function one() { return 1 }`)
	p.running(nil)

	if err := server.StopServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := run[int](p, "one"); got != 1 { // what runs goes on without the database
		t.Errorf("one = %d", got)
	}
	if err := server.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.db.Reset()
	eventually(t, "an edit after the outage", func() error {
		_, err := p.db.Exec(t.Context(), `UPDATE workflow_compiled_code SET version = '2', workflow_code = 'export async function one() { return 2 }'`)
		return err
	})
	p.running(liveVersion("one", "2"))
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestASecondSignalEndsItAtOnce(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "SHUTDOWN_TIMEOUT=5m")
	p := newBuilder(t, db).project()
	p.workflow("slow", `
		import { proxyActivities } from '@temporalio/workflow';
		const { waitFor } = proxyActivities<any>({ startToCloseTimeout: '10m' });
		export async function slow() { return waitFor({ milliseconds: 600000 }) }`)
	p.running(nil)
	r := p.start("slow")
	eventually(t, "the activity runs", func() error {
		d, err := p.temporal.DescribeWorkflowExecution(context.WithoutCancel(t.Context()), r.GetID(), "")
		if err == nil && (len(d.GetPendingActivities()) == 0 || d.GetPendingActivities()[0].GetState() != enumspb.PENDING_ACTIVITY_STATE_STARTED) {
			err = errors.New("not yet")
		}
		return err
	})
	s.signal(syscall.SIGTERM)
	eventually(t, "it stops", func() error {
		w, err := p.worker()
		if err == nil && w.Status != "stopping" {
			err = errors.New(w.Status)
		}
		return err
	})
	began := time.Now()
	if code := s.stop(syscall.SIGTERM); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
}
