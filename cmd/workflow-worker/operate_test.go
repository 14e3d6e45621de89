package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"

	"workflow-worker/cmd/workflow-worker/doctor"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
)

func file(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckTellsWhatTheRowsWouldTell(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file(t, dir, "order-intake.ts", "import { proxyActivities } from '@temporalio/workflow';\nexport async function orderIntake() { return oops; }\n")
	file(t, dir, "order-intake.activities.ts", "export async function greet() { return 1 }\n")
	file(t, dir, "broken.ts", "export async function broken() {\n  return { t: Date.now(),, };\n}\n")
	file(t, dir, "components/greet.ts", "export async function greet() { return 'hello' }\n")
	file(t, dir, "order-intake.test.ts", "nonsense(\n")
	code, out, errs := calls(nil, "check", dir)
	if code != exitFindings || errs != "" {
		t.Errorf("exit code %d, %s", code, errs)
	}
	for _, want := range []string{
		filepath.Join(dir, "broken.ts") + ":2:26: ", "[error]", filepath.Join(dir, "order-intake.ts") + ":2:", "oops", "[warning]",
		"workflow order-intake serves order-intake, orderIntake", "component greet serves greet",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if strings.Contains(out, "nonsense") {
		t.Errorf("a test file is code: %s", out)
	}
	good := filepath.Join(dir, "components")
	if code, out, _ := calls(nil, "check", good); code != exitDone {
		t.Errorf("a good component: %d %s", code, out)
	}
	if code, out, _ := calls(nil, "check", "--strict", filepath.Join(dir, "order-intake.ts")); code != exitFindings {
		t.Errorf("a warning with --strict: %d %s", code, out)
	}
	_, out, _ = calls(nil, "check", "--json", dir)
	var told struct{ Files []checkedFile }
	if err := json.Unmarshal([]byte(out), &told); err != nil || len(told.Files) != 3 {
		t.Errorf("%v: %s", err, out)
	}
	for _, path := range []string{filepath.Join(dir, "none"), t.TempDir()} {
		if code, _, _ := calls(nil, "check", path); code != exitUsage {
			t.Errorf("%s: exit code %d", path, code)
		}
	}
}

const waits = `
	import { condition, defineSignal, setHandler, sleep, proxyActivities } from '@temporalio/workflow';
	const { sampleActivity } = proxyActivities<any>({ startToCloseTimeout: '1m' });
	export async function waiting(): Promise<string> {
	  let done = false;
	  setHandler(defineSignal('goOn'), () => { done = true; });
	  await sampleActivity({ message: 'first' });
	  await condition(() => done);
	  return 'done';
	}`

// The operator's questions about executions, on a real service: what other code would break, where
// a history parts from it, how the project is.
func TestExecutionsAreTriedOnOtherCodeFromTheCommandLine(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	startService(t, db)
	p := newBuilder(t, db).project()
	p.workflow("waiting", waits)
	p.running(liveVersion("waiting", "1"))
	r := p.start("waiting")
	eventually(t, "the activity is over", func() error {
		for _, e := range p.history(r) {
			if e.GetActivityTaskCompletedEventAttributes() != nil {
				return nil
			}
		}
		return errors.New("not yet")
	})
	environment := map[string]string{"DATABASE_URL": db, "TEMPORAL_ADDRESS": stacktest.TemporalAddress(t), "TEMPORAL_CONFIG_FILE": os.DevNull}
	dir := t.TempDir()
	same := file(t, dir, "same/waiting.ts", waits+"\n// a remark")
	other := file(t, dir, "other/waiting.ts", strings.Replace(waits, "await sampleActivity({ message: 'first' })", "await sleep(1000)", 1))

	eventually(t, "the execution is found", func() error {
		code, out, errs := calls(environment, "check", "--against", p.id, same)
		if code != exitDone || !strings.Contains(out, "1 open executions tried, 0 would break") {
			return fmt.Errorf("%d %s %s", code, out, errs)
		}
		return nil
	})
	code, out, errs := calls(environment, "check", "--against", p.taskQueue, other)
	if code != exitFindings || !strings.Contains(out, "1 open executions tried, 1 would break") || !strings.Contains(out, r.GetID()) {
		t.Errorf("%d %s %s", code, out, errs)
	}

	replayed := func(want int, args ...string) replayAnswer {
		t.Helper()
		code, out, errs := calls(environment, append([]string{"replay", "--json"}, args...)...)
		var a replayAnswer
		if err := json.Unmarshal([]byte(out), &a); err != nil || code != want {
			t.Errorf("replay %v: %d, %v, %s %s", args, code, err, out, errs)
		}
		return a
	}
	replayed(exitDone, "--workflow-id", r.GetID())
	replayed(exitDone, "--workflow-id", r.GetID(), "--run-id", r.GetRunID(), "--code", "stored")
	if a := replayed(exitDone, "--workflow-id", r.GetID(), "--code", same); a.Type != "waiting" || a.Workflow != "waiting" || a.Version != "file" {
		t.Errorf("%+v", a)
	}
	if a := replayed(exitFindings, "--workflow-id", r.GetID(), "--code", other); a.Event == 0 || a.Reason == "" || !strings.HasPrefix(a.At, "waiting.ts:7:") {
		t.Errorf("%+v, want the line of sleep", a)
	}
	if code, out, _ := calls(environment, "replay", "--workflow-id", r.GetID(), "--code", other); code != exitFindings || !strings.Contains(out, "parts from") {
		t.Errorf("%d %s", code, out)
	}
	if code, _, errs := calls(environment, "replay", "--workflow-id", "none-such"); code != exitTemporal {
		t.Errorf("%d %s", code, errs)
	}
	if code, _, errs := calls(environment, "replay", "--workflow-id", r.GetID(), "--code", "5f0c5f0c"); code != exitUsage || !strings.Contains(errs, "no stored code of that hash") {
		t.Errorf("%d %s", code, errs)
	}
	// A history file and code of one's own take no server.
	history := file(t, dir, "history.json", p.historyJSON(r))
	code, out, errs = calls(nil, "replay", "--history", history, "--code", same)
	if code != exitDone || !strings.Contains(out, "fits waiting") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	wrong := file(t, dir, "wrong/else.ts", "export async function somethingElse() {}")
	if code, _, errs := calls(nil, "replay", "--history", history, "--code", wrong); code == exitDone || !strings.Contains(errs, `no workflow of this project is named "waiting"`) {
		t.Errorf("%d %s", code, errs)
	}
}

// One row per project, whatever became of earlier replicas.
func TestStatusTellsHowProjectsAre(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	environment := map[string]string{"DATABASE_URL": db}
	if code, out, errs := calls(environment, "status"); code != exitDone || !strings.Contains(out, "there are no projects") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	b := newBuilder(t, db)
	p, off := b.project(), b.project()
	b.exec(`UPDATE projects SET is_active = false WHERE id = $1`, off.id)
	w := p.workflow("one", `export async function one() { return 1 }`)
	read := func(project string) rows.ProjectStatus {
		t.Helper()
		_, out, errs := calls(environment, "status", "--json", project)
		var list []rows.ProjectStatus
		if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 1 {
			t.Fatalf("%v: %s %s", err, out, errs)
		}
		return list[0]
	}
	if s := read(p.id); s.Status != "down" || !s.ShouldRun || s.Error == "" {
		t.Errorf("before the service: %+v", s)
	}
	for i := range 3 {
		s := startService(t, db, fmt.Sprintf("REPLICA_NAME=replica-%d", i))
		p.running(nil)
		if i < 2 {
			s.signal(9)
			<-s.Done()
		}
	}
	eventually(t, "the dead are forgotten", func() error {
		if s := read(p.taskQueue); s.Status != "running" || s.ReplicasRunning != 1 || s.Error != "" || len(s.Live) != 1 || s.Live[0].Version != "1" || s.LastReloadAt == nil {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	if s := read(off.id); s.Status != "stopped" || s.ShouldRun {
		t.Errorf("switched off: %+v", s)
	}
	if code, out, errs := calls(environment, "status"); code != exitDone || strings.Count(out, "\n") != 3 || strings.Contains(out, "\x1b") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	eventually(t, "the replicas are told", func() error {
		code, out, _ := calls(environment, "status", "--replicas")
		lines := strings.Split(out, "\n")
		if code != exitDone || len(lines) != 5 || !strings.Contains(lines[1], "silent") || !regexp.MustCompile(`^replica-2 +running +1 +1 +1 `).MatchString(lines[3]) {
			return errors.New(out)
		}
		return nil
	})
	code, out, errs := calls(environment, "status", "--replicas", "--json")
	var replicas []replicaStatus
	if err := json.Unmarshal([]byte(out), &replicas); code != exitDone || err != nil || len(replicas) != 3 || replicas[1].Name == "" || replicas[1].LastHeartbeat.IsZero() {
		t.Errorf("status --replicas --json: %d %v %s %s", code, err, out, errs)
	}
	p.exec(`UPDATE workflow_compiled_code SET workflow_code = 'export async function one( {' WHERE id = $1`, w.codeID)
	eventually(t, "the error is told", func() error {
		code, out, _ := calls(environment, "status", p.id)
		if code != exitFindings || !strings.Contains(out, "one.ts:1:") || read(p.id).Errors != 1 {
			return errors.New(out)
		}
		return nil
	})
	if code, _, _ := calls(environment, "status", "nobody"); code != exitUsage {
		t.Errorf("an unknown project: %d", code)
	}
}

func TestTheDoctorNamesWhatIsWrongAndWhatMendsIt(t *testing.T) {
	t.Parallel()
	db := stacktest.Database(t)
	environment := map[string]string{"DATABASE_URL": db, "TEMPORAL_ADDRESS": stacktest.TemporalAddress(t), "TEMPORAL_CONFIG_FILE": os.DevNull}
	examine := func(args ...string) (int, map[string]doctor.Finding) {
		t.Helper()
		code, out, errs := calls(environment, append([]string{"doctor", "--json"}, args...)...)
		var told struct{ Checks []doctor.Finding }
		if err := json.Unmarshal([]byte(out), &told); err != nil {
			t.Fatalf("%v: %s %s", err, out, errs)
		}
		found := map[string]doctor.Finding{}
		for _, f := range told.Checks {
			found[f.ID] = f
		}
		if len(found) != len(doctor.IDs()) {
			t.Errorf("%d findings of %d checks", len(found), len(doctor.IDs()))
		}
		return code, found
	}
	wants := func(what string, found map[string]doctor.Finding, id, outcome, says string) {
		t.Helper()
		f := found[id]
		if f.Outcome != outcome || says != "" && !slices.ContainsFunc(f.Problems, func(p doctor.Problem) bool { return strings.Contains(p.Text+p.Mend, says) }) {
			t.Errorf("%s: %+v, want %s %q", what, f, outcome, says)
		}
	}
	code, found := examine()
	if code != exitFindings {
		t.Errorf("exit code %d", code)
	}
	wants("never migrated", found, "schema.migrated", doctor.Failed, "workflow-worker migrate")
	wants("never migrated", found, "rights.tables", doctor.Skipped, "")
	wants("never migrated", found, "temporal.namespace", doctor.OK, "")

	if code, _, errs := calls(environment, "migrate"); code != exitDone {
		t.Fatal(errs)
	}
	if code, found = examine(); code != exitDone {
		t.Errorf("a database in order: %d %+v", code, found)
	}
	for _, f := range found {
		if f.Outcome == doctor.Failed && f.Severity == doctor.Fatal {
			t.Errorf("%+v", f)
		}
	}
	c, err := pgx.Connect(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, tc := range []struct{ breaks, mends, id, says string }{
		{`ALTER TABLE workflow_workers RENAME TO away`, `ALTER TABLE away RENAME TO workflow_workers`, "rights.tables", "there is no table public.workflow_workers"},
		{`ALTER PUBLICATION workflow_worker DROP TABLE workflows`, `ALTER PUBLICATION workflow_worker ADD TABLE workflows (id, project_id)`, "stream.publications", "workflow-worker migrate"},
		{`ALTER TABLE projects REPLICA IDENTITY FULL`, `ALTER TABLE projects REPLICA IDENTITY DEFAULT`, "stream.identities", "UPDATE and DELETE of projects fail"},
		{`INSERT INTO workflow_worker.schema_version (version_id, is_applied) VALUES (999, true)`, `DELETE FROM workflow_worker.schema_version WHERE version_id = 999`, "schema.known", "999"},
		{`DELETE FROM workflow_worker.schema_version WHERE version_id = 20`, `INSERT INTO workflow_worker.schema_version (version_id, is_applied) VALUES (20, true)`, "schema.migrated", "00020_status.sql"},
		{`INSERT INTO projects (name, task_queue_name) SELECT i, i FROM generate_series(1, 401) i`, `DELETE FROM projects`, "scale.polls", "frontend.namespaceCount"},
	} {
		if _, err := c.Exec(t.Context(), tc.breaks); err != nil {
			t.Fatal(err)
		}
		_, found := examine()
		wants(tc.breaks, found, tc.id, doctor.Failed, tc.says)
		if tc.id == "rights.tables" { // its consequences aren't told beside it
			wants(tc.breaks, found, "scale.polls", doctor.Skipped, "")
		}
		if _, err := c.Exec(t.Context(), tc.mends); err != nil {
			t.Fatal(err)
		}
	}
	_, found = examine("--skip", "scale.polls,database.clock")
	wants("asked for", found, "scale.polls", doctor.Skipped, "")
	if code, out, _ := calls(environment, "doctor", "--short"); code != exitDone || !strings.Contains(out, "0 fatal") || strings.Contains(out, "database.reachable") {
		t.Errorf("--short: %d %s", code, out)
	}
	if code, out, _ := calls(environment, "doctor"); code != exitDone || !strings.Contains(out, "ok      database.reachable") {
		t.Errorf("%d %s", code, out)
	}

	environment["TEMPORAL_NAMESPACE"] = "nobody-made-this"
	_, found = examine()
	wants("no namespace", found, "temporal.namespace", doctor.Failed, "nobody-made-this")
	environment["TEMPORAL_ADDRESS"] = "127.0.0.1:1"
	environment["DATABASE_URL"] = "postgres://u:kept-to-itself@127.0.0.1:1/d"
	code, found = examine()
	wants("no servers", found, "temporal.reachable", doctor.Failed, "127.0.0.1:1")
	wants("no servers", found, "database.reachable", doctor.Failed, "")
	wants("no servers", found, "schema.migrated", doctor.Skipped, "")
	environment["LOG_LEVEL"] = "loud"
	_, found = examine()
	wants("settings", found, "settings.valid", doctor.Failed, "LOG_LEVEL")
	_, out, errs := calls(environment, "doctor", "--json")
	if code != exitFindings || strings.Contains(out+errs, "kept-to-itself") {
		t.Errorf("%d: a password is shown: %s %s", code, out, errs)
	}
}

func TestAPoolerIsRecognisedWithItsMode(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	for _, mode := range []string{"transaction", "session"} {
		environment := map[string]string{"DATABASE_URL": stacktest.Pooler(t, db, mode), "TEMPORAL_ADDRESS": stacktest.TemporalAddress(t), "TEMPORAL_CONFIG_FILE": os.DevNull}
		_, out, _ := calls(environment, "doctor", "--short")
		if !strings.Contains(out, "a pooler in "+mode+" mode answers") {
			t.Errorf("%s: %s", mode, out)
		}
		environment["REPLICATION_DATABASE_URL"] = db
		if _, out, _ := calls(environment, "doctor", "--short"); strings.Contains(out, "database.pooler") || strings.Contains(out, "stream.connection") {
			t.Errorf("with a direct connection for the stream: %s", out)
		}
	}
}

// historyJSON is an execution's history as Temporal's CLI writes it.
func (p *project) historyJSON(r client.WorkflowRun) string {
	p.t.Helper()
	b, err := protojson.Marshal(&historypb.History{Events: p.history(r)})
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}
