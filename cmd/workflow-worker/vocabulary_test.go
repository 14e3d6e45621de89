package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

// vocabulary are the keys of the log.
func vocabulary(t *testing.T) (keys []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "runtime/logkey/logkey.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			key, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, key)
		}
		return true
	})
	if len(keys) < 30 {
		t.Fatalf("only %d keys: %v", len(keys), keys)
	}
	return keys
}

var (
	ownKey   = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	duration = regexp.MustCompile(`duration|timeout|deadline|elapsed|period|latency|took|retry_in`)
	withUnit = regexp.MustCompile(`_(ms|seconds)$`)
)

// belongs are the keys of lines that are about a project.
var belongs = []string{"workflow", "workflow_id", "run_id", "activity", "activity_id", "task_queue"}

// What a collector of logs sees of a service at work: a fixed set of keys, Temporal's SDK's lines
// among ours, and the project on each line that has one.
func TestTheLogIsInOneVocabulary(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "LOG_FORMAT=json", "LOG_LEVEL=debug")
	b := newBuilder(t, db)
	projectOf := map[string]string{}
	for range 2 {
		p := b.project()
		projectOf[p.taskQueue] = p.id
		p.component("says", `export async function says() { return 7 } export async function refuses() { throw new Error('no') }`)
		p.workflow("works", `
			import { proxyActivities, sleep, executeChild, setHandler, defineQuery } from '@temporalio/workflow';
			const { says, refuses } = proxyActivities<any>({ startToCloseTimeout: '1m', retry: { maximumAttempts: 1 } });
			export async function child() { return says(); }
			export async function works() {
			  setHandler(defineQuery('how'), () => 'well');
			  await sleep(5);
			  await refuses().catch(() => 0);
			  return await executeChild('child') + await says();
			}`)
		p.workflow("fails", `export async function fails() { throw new Error('on purpose'); }`)
		p.running(nil)
		if got := run[int](p, "works"); got != 14 {
			t.Errorf("%d", got)
		}
		p.start("fails")
		p.failing("fails", 1)
		p.workflow("broken", `export async function broken( {`)
	}
	eventually(t, "the broken texts were tried", func() error {
		if n := strings.Count(s.output(), `"msg":"code is broken"`); n != 2 {
			return fmt.Errorf("%d texts are broken", n)
		}
		return nil
	})
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}

	known, seen, ofSDK := vocabulary(t), map[string]int{}, map[string]int{}
	for line := range strings.Lines(s.output()) {
		var read map[string]any
		if err := json.Unmarshal([]byte(line), &read); err != nil {
			t.Errorf("no JSON: %v: %.300s", err, line)
			continue
		}
		for key := range read {
			seen[key]++
			if !slices.Contains(known, key) && key != "time" && key != "level" && key != "msg" {
				t.Errorf("%q is no key of the log: %.300s", key, line)
			}
			if duration.MatchString(key) && !withUnit.MatchString(key) {
				t.Errorf("%q is a duration without its unit: %.300s", key, line)
			}
		}
		own, _ := read["temporal"].(map[string]any)
		for key := range own {
			ofSDK[key]++
			if !ownKey.MatchString(key) || duration.MatchString(key) && !withUnit.MatchString(key) {
				t.Errorf("the SDK's %q is spelt otherwise: %.300s", key, line)
			}
		}
		if read["project_id"] == nil && slices.ContainsFunc(belongs, func(key string) bool { return read[key] != nil }) {
			t.Errorf("a line about a project doesn't name it: %.400s", line)
		}
		if queue, _ := read["task_queue"].(string); queue != "" && read["project_id"] != projectOf[queue] {
			t.Errorf("project_id is %v on task queue %s: %.300s", read["project_id"], queue, line)
		}
	}
	// The test saw what it is about.
	for _, key := range []string{"project_id", "task_queue", "namespace", "workflow_id", "run_id", "activity", "activity_id", "attempt", "error", "took_ms", "temporal", "replica"} {
		if seen[key] == 0 {
			t.Errorf("no line has %s", key)
		}
	}
	if ofSDK["timer_id"] == 0 {
		t.Errorf("the SDK's own keys are %v", ofSDK)
	}
}

// Where programs read the log, the end is a line of it, too.
func TestTheReasonForAnEndIsInTheLogsFormat(t *testing.T) {
	t.Parallel()
	environment := map[string]string{
		"DATABASE_URL": stacktest.Database(t), "MIGRATE_ON_START": "false", "TEMPORAL_ADDRESS": "127.0.0.1:1", "TEMPORAL_CONFIG_FILE": "/dev/null",
		"WORKER_SERVICE_PORT": "0", "WORKER_SERVICE_HOST": "127.0.0.1", "LOG_FORMAT": "json",
	}
	code, _, said := calls(environment, "run")
	lines := strings.Split(strings.TrimSpace(said), "\n")
	var last struct{ Level, Msg, Error string }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || code != exitDatabase || last.Level != "ERROR" || !strings.Contains(last.Error, "workflow-worker migrate") {
		t.Errorf("%d, %v: %s", code, err, said)
	}
	environment["LOG_FORMAT"] = "text"
	if code, _, said := calls(environment, "run"); code != exitDatabase || !strings.Contains(said, "\nworkflow-worker: ") {
		t.Errorf("%d: %s", code, said)
	}
}

func TestASignalChangesTheLevelOfTheLog(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "LOG_FORMAT=json")
	p := newBuilder(t, db).project()
	p.workflow("one", `export async function one() { return 1 }`)
	p.running(nil)
	count := func(level string) int { return strings.Count(s.output(), `"level":"`+level+`"`) }
	if count("DEBUG") != 0 {
		t.Fatalf("more than was asked for: %s", s.output())
	}
	changed := func(is string) {
		t.Helper()
		eventually(t, "the level is "+is, func() error {
			if !strings.Contains(s.output(), `,"is":"`+is+`"`) {
				return errors.New(s.output())
			}
			return nil
		})
	}
	s.signal(syscall.SIGUSR1)
	changed("DEBUG")
	if got := run[int](p, "one"); got != 1 {
		t.Errorf("%d", got)
	}
	// A cell's lines come over a pipe.
	eventually(t, "there are lines of debug, the SDK's too", func() error {
		if count("DEBUG") == 0 {
			return errors.New(s.output())
		}
		return nil
	})
	s.signal(syscall.SIGUSR1)
	changed("INFO")
	// What was under way when the level changed is written by the end of a task.
	if got := run[int](p, "one"); got != 1 {
		t.Errorf("%d", got)
	}
	before := len(s.output())
	if got := run[int](p, "one"); got != 1 {
		t.Errorf("%d", got)
	}
	if more := s.output()[before:]; strings.Contains(more, "DEBUG") {
		t.Errorf("after the second signal: %s", more)
	}
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := stack.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}

func TestProfilesAreServedToThisMachineAlone(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:6060", ":6060", "10.0.0.1:6060", "localhost:6060", "127.0.0.1", "[::]:6060", "6060", "yes"} {
		environment := environment{"DATABASE_URL": "postgres://h/d", "PPROF_ADDRESS": address, "TEMPORAL_CONFIG_FILE": "/dev/null"}
		if _, err := (process{environment: environment}).readSettings(all); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("PPROF_ADDRESS is %q, must be a loopback address", address)) {
			t.Errorf("%s: %v", address, err)
		}
	}
	db, address := stacktest.MigratedDatabase(t), net.JoinHostPort("127.0.0.1", freePort(t))
	ask := func(path string) (int, error) {
		answer, err := http.Get("http://" + address + path)
		if err != nil {
			return 0, err
		}
		return answer.StatusCode, answer.Body.Close()
	}
	s := startService(t, db, "PPROF_ADDRESS="+address)
	for path, want := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/goroutine?debug=1": 200, "/debug/pprof/cmdline": 404, "/": 404} {
		if got, err := ask(path); err != nil || got != want {
			t.Errorf("%s: %d, %v", path, got, err)
		}
	}
	if status, _, err := s.get("/debug/pprof/"); err != nil || status != http.StatusNotFound {
		t.Errorf("beside /metrics: %d, %v", status, err)
	}
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	startService(t, db)
	if _, err := ask("/debug/pprof/"); err == nil {
		t.Error("profiles are served although nobody asked for them")
	}
}
