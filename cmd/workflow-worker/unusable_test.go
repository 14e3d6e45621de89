package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

// ready waits for the answer of /health/ready.
func (s *service) ready(status int) func() error {
	return func() error {
		got, body, err := s.get("/health/ready")
		if err == nil && got != status {
			err = fmt.Errorf("%d: %s", got, body)
		}
		return err
	}
}

func TestANamespaceThatIsNotThereIsNotHealthy(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := launchService(t, db, "TEMPORAL_NAMESPACE=nobody-made-this")
	eventually(t, "health says so", s.health(http.StatusServiceUnavailable, `"status":"unavailable"`, "temporal answers, but can't be used", "nobody-made-this"))
	eventually(t, "it isn't ready", s.ready(http.StatusServiceUnavailable))
}

// A namespace that goes while the service runs.
func TestANamespaceThatIsDeletedIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	server := stacktest.Temporal(t, stack.TemporalOptions{})
	db := stacktest.MigratedDatabase(t)
	c, err := client.Dial(client.Options{HostPort: server.Address()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	const name = "goes"
	_, err = c.WorkflowService().RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: name, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := launchService(t, db, "TEMPORAL_ADDRESS="+server.Address(), "TEMPORAL_NAMESPACE="+name)
	p := newBuilder(t, db).project()
	p.workflow("one", `export async function one() { return 1 }`)
	p.running(nil)
	eventually(t, "it is ready", s.ready(http.StatusOK))
	if _, err := c.OperatorService().DeleteNamespace(t.Context(), &operatorservice.DeleteNamespaceRequest{Namespace: name}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "health says so", s.health(http.StatusServiceUnavailable, `"status":"unavailable"`, name))
	eventually(t, "it isn't ready", s.ready(http.StatusServiceUnavailable))
	eventually(t, "the row says so", func() error {
		w, err := p.worker()
		if err == nil && w.Metadata.Error == "" {
			err = fmt.Errorf("%s: %+v", w.Status, w.Metadata)
		}
		return err
	})
}

func TestPollsThatFailAreInTheRowAndInHealth(t *testing.T) {
	t.Parallel()
	port, err := stack.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	server := stacktest.Temporal(t, stack.TemporalOptions{Port: port})
	db := stacktest.MigratedDatabase(t)
	s := launchService(t, db, fmt.Sprintf("TEMPORAL_ADDRESS=127.0.0.1:%d", port))
	p := newBuilder(t, db).project()
	p.workflow("one", `export async function one() { return 1 }`)
	p.running(func(w workerRow) error {
		if w.Metadata.Polls != nil || w.Metadata.Error != "" {
			return fmt.Errorf("%+v", w.Metadata)
		}
		return nil
	})
	eventually(t, "it is ready", s.ready(http.StatusOK))
	if err := server.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	p.running(func(w workerRow) error {
		if w.Metadata.Polls == nil || w.Metadata.Polls.Since.IsZero() || w.Metadata.Error == "" {
			return fmt.Errorf("%+v", w.Metadata)
		}
		return nil
	})
	eventually(t, "health says so", s.health(http.StatusServiceUnavailable, "workers can't ask Temporal for tasks"))
	stacktest.Temporal(t, stack.TemporalOptions{Port: port})
	p.running(func(w workerRow) error {
		if w.Metadata.Polls != nil || w.Metadata.Error != "" {
			return fmt.Errorf("%+v", w.Metadata)
		}
		return nil
	})
	eventually(t, "health is well", s.health(http.StatusOK, `"status":"ok"`))
}

func TestADatabaseOfNoUseIsNotHealthy(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db)
	b := newBuilder(t, db)
	p := b.project()
	p.workflow("one", `export async function one() { return 1 }`)
	p.running(nil)
	for _, c := range []struct{ breaks, mends, says, id string }{
		{`ALTER TABLE workflow_workers RENAME TO away`, `ALTER TABLE away RENAME TO workflow_workers`, "there is no table public.workflow_workers", ""},
		{
			`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on purpose'; END $$;
			 CREATE TRIGGER refuse BEFORE UPDATE ON workflow_workers FOR EACH ROW EXECUTE FUNCTION refuse()`,
			`DROP TRIGGER refuse ON workflow_workers`, "heartbeats can't be written: ERROR: on purpose",
			"service.heartbeats_cant_be_written",
		},
	} {
		p.exec(c.breaks)
		eventually(t, "health says so", s.health(http.StatusServiceUnavailable, `"status":"unavailable"`, c.says))
		eventually(t, "it isn't ready", s.ready(http.StatusServiceUnavailable))
		if c.id != "" { // what the service can't do is told three times over by it
			eventually(t, "health names it", s.health(http.StatusServiceUnavailable, `"`+c.id+`"`))
			_, text, err := s.get("/metrics")
			if err != nil || !strings.Contains(text, `workflow_worker_trouble{id="`+c.id+`"} 1`) {
				t.Errorf("%v in the metrics:\n%s", err, text)
			}
			if !strings.Contains(s.output(), "id="+c.id) {
				t.Errorf("the log has no %s", c.id)
			}
		}
		p.exec(c.mends)
		eventually(t, "health is well", s.health(http.StatusOK, `"status":"ok"`))
		eventually(t, "it is ready", s.ready(http.StatusOK))
	}
	if got := run[int](p, "one"); got != 1 {
		t.Errorf("one = %d", got)
	}
}
