package main

import (
	"bytes"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/runtime/memory"
)

func TestTheWorkflowCacheIsOfTheOperatorsSize(t *testing.T) {
	t.Parallel()
	if got := (settings{WorkflowCacheSize: 7}).workflowCacheSize(); got != 7 {
		t.Errorf("the operator's size became %d", got)
	}
	if got, want := (settings{}).workflowCacheSize(), memory.WorkflowCacheSize(); got != want {
		t.Errorf("the default is %d, want %d", got, want)
	}
}

func TestMistakesInTheSettingsAreNamedTogether(t *testing.T) {
	s := settings{Port: 70000, MaxActivities: 1, MaxWorkflows: 0, HeartbeatInterval: time.Second, ResyncInterval: time.Second,
		ShutdownTimeout: time.Second, LogFormat: "xml", HTTPAllow: []string{"10.0.0.0/8", "nonsense"}, ReplicationDatabaseURL: "mysql://secret@h"}
	err := s.validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"DATABASE_URL is not set", "REPLICATION_DATABASE_URL is not a URL", "WORKER_SERVICE_PORT is 70000", "MAX_CONCURRENT_WORKFLOW_EXECUTIONS is 0", `LOG_FORMAT is "xml"`, `"nonsense"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells a secret: %v", err)
	}
}

func TestTheProgramSaysHowItIsUsed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"help"}, 0, "usage: workflow-worker"},
		{[]string{"nonsense"}, 2, "usage: workflow-worker"},
		{[]string{"run", "it"}, 2, "usage: workflow-worker"},
		{[]string{"role"}, 0, "CREATE ROLE"},
		{[]string{"run"}, 1, "DATABASE_URL is not set"},
	} {
		var out bytes.Buffer
		code := dispatch(process{args: tc.args, environment: envconfig.MapLookuper(nil), stdin: &out, stdout: &out, stderr: &out})
		if code != tc.code || !strings.Contains(out.String(), tc.out) {
			t.Errorf("%v: exit code %d, %q", tc.args, code, out.String())
		}
	}
}

func TestMigrateAndHealthcheckAreCommands(t *testing.T) {
	t.Parallel()
	db := stacktest.Database(t)
	var out bytes.Buffer
	run := func(command string, environment map[string]string) int {
		return dispatch(process{args: []string{command}, environment: envconfig.MapLookuper(environment), stdin: &out, stdout: &out, stderr: &out})
	}
	if code := run("migrate", map[string]string{"DATABASE_URL": db}); code != 0 {
		t.Fatalf("migrate: %d, %s", code, out.String())
	}
	s := startService(t, db, "MIGRATE_ON_START=false")
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{"DATABASE_URL": db, "WORKER_SERVICE_PORT": port}
	if code := run("healthcheck", environment); code != 0 {
		t.Errorf("healthcheck: %d, %s", code, out.String())
	}
	s.stop(syscall.SIGTERM)
	if code := run("healthcheck", environment); code == 0 {
		t.Error("healthcheck is fine without a service")
	}
}
