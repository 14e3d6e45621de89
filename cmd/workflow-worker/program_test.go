package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
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

// mistakesIn gives what validate says.
func mistakesIn(s settings) error {
	var errs []error
	s.validate(all, func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) })
	return errors.Join(errs...)
}

// calls runs the program in this process.
func calls(environment map[string]string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = dispatch(process{args: args, environment: environment, stdin: strings.NewReader(""), stdout: &out, stderr: &errs})
	return code, out.String(), errs.String()
}

func TestMistakesInTheSettingsAreNamedTogether(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "key")
	code, _, said := calls(map[string]string{
		"DATABASE_URL": "postgres://u:hid%hidden@h/d", "REPLICATION_DATABASE_URL": "mysql://hidden@h", "WORKER_SERVICE_PROT": "1",
		"MAX_CONCURRENT_WORKFLOW_EXECUTIONS": "ten", "MAX_CONCURRENT_ACTIVITY_EXECUTIONS": "0", "HEARTBEAT_INTERVAL": "30",
		"MIGRATE_ON_START": "yes", "LOG_LEVEL": "loud", "LOG_FORMAT": "xml", "HTTP_ALLOW": "10.0.0.0/8,nonsense",
		"TEMPORAL_TLS": "yes", "TEMPORAL_API_KEY": "hidden", "TEMPORAL_API_KEY_FILE": secret,
		"TEMPORAL_TLS_CLIENT_KEY_PATH": "/no/key",
	}, "run")
	if code != exitSettings {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		`DATABASE_URL: the password has a "%" that begins no escape`, "REPLICATION_DATABASE_URL: it must begin with postgres://",
		"WORKER_SERVICE_PROT is no setting: WORKER_SERVICE_PORT is meant?",
		`MAX_CONCURRENT_WORKFLOW_EXECUTIONS is "ten", must be a whole number`, "MAX_CONCURRENT_ACTIVITY_EXECUTIONS is 0, must be at least 1",
		`HEARTBEAT_INTERVAL is "30", must be a duration`, `MIGRATE_ON_START is "yes", must be true or false`, `LOG_LEVEL is "loud", must be debug, info`,
		`LOG_FORMAT is "xml"`, `"nonsense"`, `TEMPORAL_TLS is "yes", must be true or false`, "TEMPORAL_API_KEY and TEMPORAL_API_KEY_FILE are both set",
		"if either client cert or key path is present",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
	if strings.Contains(said, "hidden") {
		t.Errorf("the error tells a secret: %s", said)
	}
	if code, _, said := calls(nil, "run"); code != exitSettings || !strings.Contains(said, "DATABASE_URL is not set") {
		t.Errorf("exit code %d: %s", code, said)
	}
}

func TestSettingsHaveBounds(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct{ value, want string }{
		"WORKER_SERVICE_PORT":       {"65536", "is 65536, must be 0 to 65535"},
		"CELLS":                     {"-1", "is -1, must be 0 to"},
		"CAPACITY":                  {"NaN", "is NaN, must be 0.01 to 1000"},
		"PROJECT_REPLICAS":          {"-1", "is -1, must not be negative"},
		"WORKFLOW_MAX_MEMORY":       {"1000", "is 1000, must be at least 16777216"},
		"EXECUTION_MAX_VALUE_BYTES": {"1", "is 1, must be at least 1024"},
		"RESYNC_INTERVAL":           {"99ms", "is 99ms, must be at least 100ms"},
		"REMOVAL_GRACE":             {"-1s", "is -1s, must not be negative"},
		"ACTIVITY_CPU_TIMEOUT":      {"10s", "is 10s, must be 10ms to 9s"},
		"ACTIVITY_MAX_CPU_TIME":     {"1s", "is 1s, must be at least ACTIVITY_CPU_TIMEOUT, which is 5s"},
		"RECORD_STEPS":              {"some", `is "some", must be none, activities or all`},
		"WORKFLOW_ISOLATION":        {"none", `is "none", must be shared or project`},
		"METRICS_TOP_PROJECTS":      {"-5", "is -5, must not be negative"},
		"ACTIVITY_MAX_RESULT_BYTES": {"0", "is 0, must be at least 1"},
	} {
		_, err := process{environment: environment{"DATABASE_URL": "postgres://h/d", "TEMPORAL_CONFIG_FILE": os.DevNull, name: x.value}}.readSettings(all)
		if err == nil || !strings.Contains(err.Error(), name+" "+x.want) {
			t.Errorf("%s=%s: %v, want %q", name, x.value, err, x.want)
		}
	}
}

func TestANearMissBesideTheSettingItselfIsNoMistake(t *testing.T) {
	t.Parallel()
	e := environment{"DATABASE_URL": "postgres://h", "DATABASE_URI": "x", "LOG_LEVLE": "debug", "HTTP_ALOW": "mine", "WORKFLOW_WORKER_SERVICE_PORT": "tcp://10.0.0.1:3011"}
	var got []string
	for _, x := range e.slips([]string{"HTTP_ALOW"}) {
		got = append(got, x.name+" "+x.meant)
	}
	if want := "DATABASE_URI DATABASE_URL,LOG_LEVLE LOG_LEVEL"; strings.Join(got, ",") != want {
		t.Errorf("found %v, want %s", got, want)
	}
	_, err := process{environment: e}.readSettings(all)
	if err == nil || strings.Contains(err.Error(), "DATABASE_URI") || !strings.Contains(err.Error(), "LOG_LEVLE") {
		t.Error(err)
	}
}

func TestShellsCompleteWhatACommandTakes(t *testing.T) {
	t.Parallel()
	const noFiles, files = ":4\n", ":0\n"
	for _, tc := range []struct {
		args []string
		want string
		ends string
	}{
		{[]string{""}, "doctor\t", noFiles},
		{[]string{"doctor", "--skip", ""}, "scale.memory\n", noFiles},
		{[]string{"replay", "--code", ""}, "stored\n", files},
		{[]string{"check", ""}, "", files},
		{[]string{"status", ""}, "", noFiles},
		{[]string{"completion", ""}, "fish\t", noFiles},
	} {
		code, out, errs := calls(nil, append([]string{"__complete"}, tc.args...)...)
		if code != exitDone || !strings.Contains(out, tc.want) || !strings.HasSuffix(out, tc.ends) {
			t.Errorf("%v: %d %q %s", tc.args, code, out, errs)
		}
	}
	_, version, _ := calls(nil, "version")
	if code, out, errs := calls(nil, "--version"); code != exitDone || out != version || out == "" {
		t.Errorf("--version: %d %q %s", code, out, errs)
	}
	if code, _, _ := calls(nil, "status", "--version"); code != exitUsage {
		t.Errorf("status --version: %d", code)
	}
}

func TestMisspeltParametersOfTheDatabaseAreNamed(t *testing.T) {
	t.Parallel()
	for written, meant := range map[string]string{
		"sslmod": "sslmode", "ssl_mode": "sslmode", "SSLMode": "sslmode", "sslrootcrt": "sslrootcert", "target_session_attr": "target_session_attrs",
		"connecttimeout": "connect_timeout", "aplication_name": "application_name", "serch_path": "search_path", "statement_timeuot": "statement_timeout",
	} {
		_, err := process{environment: environment{"DATABASE_URL": "postgres://u:hidden@h/d?" + written + "=x", "TEMPORAL_CONFIG_FILE": os.DevNull}}.readSettings(all)
		if want := "DATABASE_URL: " + written + " is no parameter: " + meant + " is meant?"; err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	s, err := process{environment: environment{"DATABASE_URL": "postgres://h/d?pgbouncer=true&sslmode=require&Application_Name=x", "TEMPORAL_CONFIG_FILE": os.DevNull}}.readSettings(all)
	if err != nil || s.DatabaseURL != "postgres://h/d?sslmode=require&Application_Name=x" {
		t.Errorf("%q, %v", s.DatabaseURL, err)
	}

	// A password that was not escaped is no parameter.
	_, err = process{environment: environment{"DATABASE_URL": "postgres://u:p?sslmod@h/d", "TEMPORAL_CONFIG_FILE": os.DevNull}}.readSettings(all)
	if err == nil || strings.Contains(err.Error(), "sslmod ") {
		t.Error(err)
	}

	// What the server knows is no slip.
	db, err := pgx.Connect(t.Context(), stacktest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	rows, err := db.Query(t.Context(), `SELECT name FROM pg_settings WHERE context IN ('user', 'superuser', 'backend', 'superuser-backend')`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) < 100 {
		t.Fatal(len(names), err)
	}
	for _, name := range names {
		if found := parameterSlips("postgres://h/d?" + name + "=x"); len(found) > 0 {
			t.Errorf("%s is taken for %s", name, found[0].meant)
		}
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte("postgres://u:p@h/d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := process{environment: environment{"DATABASE_URL_FILE": file, "TEMPORAL_CONFIG_FILE": os.DevNull}}.readSettings(all)
	if err != nil || s.DatabaseURL != "postgres://u:p@h/d" {
		t.Errorf("%q, %v", s.DatabaseURL, err)
	}
	for path, want := range map[string]string{"/no/file": "DATABASE_URL_FILE: open /no/file", os.DevNull: "DATABASE_URL_FILE: /dev/null is empty"} {
		_, err = process{environment: environment{"DATABASE_URL_FILE": path}}.readSettings(all)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "is not set") {
			t.Errorf("%v, want %s", err, want)
		}
	}
	r := &rotating{path: file, from: readSecret}
	if first, err := r.get(t.Context()); err != nil || first != "postgres://u:p@h/d" {
		t.Errorf("%q, %v", first, err)
	}
	if err := os.WriteFile(file, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.read = time.Time{}
	if second, err := r.get(t.Context()); err != nil || second != "other" {
		t.Errorf("%q, %v", second, err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	r.read = time.Time{}
	if kept, err := r.get(t.Context()); err != nil || kept != "other" {
		t.Errorf("while the file is away: %q, %v", kept, err)
	}
}

func TestTheProgramSaysHowItIsUsed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"help"}, exitDone, "Exit codes:"},
		{[]string{"--help"}, exitDone, "doctor"},
		{[]string{"bogus"}, exitUsage, `unknown command "bogus"`},
		{[]string{"help", "migrate"}, exitDone, "--dry-run"},
		{[]string{"help", "bogus"}, exitUsage, `unknown command "bogus"`},
		{[]string{"help", "migrate", "bogus"}, exitUsage, `unknown command "bogus"`},
		{[]string{"completion"}, exitDone, "powershell"},
		{[]string{"completion", "bogus"}, exitUsage, `unknown command "bogus"`},
		{[]string{"run", "it"}, exitUsage, `unknown command "it"`},
		{[]string{"migrate", "--bogus"}, exitUsage, "unknown flag: --bogus"},
		{[]string{"migrate", "--status", "--dry-run"}, exitUsage, "dry-run"},
		{[]string{"migrate", "--json"}, exitUsage, "--status"},
		{[]string{"status", "--replicas", "orders"}, exitUsage, "all projects"},
		{[]string{"check"}, exitUsage, "requires at least 1 arg"},
		{[]string{"replay"}, exitUsage, "--workflow-id"},
		{[]string{"doctor", "--skip", "bogus"}, exitUsage, `no check "bogus"`},
		{[]string{"role"}, exitDone, "CREATE ROLE"},
		{[]string{"realtime"}, exitDone, "realtime.send"},
		{[]string{"realtime", "--changes"}, exitDone, "supabase_realtime"},
		{[]string{"completion", "bash"}, exitDone, "complete"},
		{[]string{"status"}, exitSettings, "DATABASE_URL is not set"},
		{[]string{"run"}, exitSettings, "DATABASE_URL is not set"},
	} {
		code, out, errs := calls(nil, tc.args...)
		if code != tc.code || !strings.Contains(out+errs, tc.says) {
			t.Errorf("%v: exit code %d, %q %q", tc.args, code, out, errs)
		}
		if code == exitUsage && (out != "" || strings.Count(errs, "\n") > 4) {
			t.Errorf("%v: a mistake is lost in %q %q", tc.args, out, errs)
		}
	}
	for _, c := range (process{}).commands().Commands() {
		if c.Short == "" || c.Long == "" && c.HasAvailableLocalFlags() {
			t.Errorf("%s has no help", c.Name())
		}
		code, out, _ := calls(nil, c.Name(), "--help")
		if code != exitDone || !strings.Contains(out, c.UseLine()) {
			t.Errorf("%s --help: %d %q", c.Name(), code, out)
		}
	}
	code, out, _ := calls(nil, "version", "--json")
	var told struct {
		Version, Revision, SDK, Go, Platform string
		Schema                               int64
	}
	if err := json.Unmarshal([]byte(out), &told); code != exitDone || err != nil || told.Version == "" || told.Revision == "" || told.SDK == "" || told.Schema < 19 {
		t.Errorf("version --json: %d %v %q", code, err, out)
	}
}

func TestMigrateSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	environment := map[string]string{"DATABASE_URL": stacktest.Database(t)}
	if code, out, errs := calls(environment, "migrate", "--status"); code != exitFindings || !strings.Contains(out, "pending") || errs != "" {
		t.Errorf("before: %d %q %q", code, out, errs)
	}
	code, sql, _ := calls(environment, "migrate", "--dry-run")
	if code != exitDone || !strings.Contains(sql, "-- 00001_tables.sql\nBEGIN;") || strings.Count(sql, "COMMIT;") < 15 {
		t.Errorf("--dry-run: %d %.200q", code, sql)
	}
	if code, _, errs := calls(environment, "status"); code != exitDatabase || !strings.Contains(errs, "run `workflow-worker migrate` as the owner") {
		t.Errorf("status before: %d %q", code, errs)
	}
	if code, out, errs := calls(environment, "migrate"); code != exitDone || !strings.Contains(out, "applied 00001_tables.sql") {
		t.Fatalf("migrate: %d %q %q", code, out, errs)
	}
	if code, out, _ := calls(environment, "migrate"); code != exitDone || !strings.Contains(out, "nothing to do") {
		t.Errorf("again: %d %q", code, out)
	}
	code, out, _ := calls(environment, "migrate", "--status", "--json")
	var status struct {
		Migrations []struct{ Name string }
		Pending    int
	}
	if err := json.Unmarshal([]byte(out), &status); code != exitDone || err != nil || status.Pending != 0 || len(status.Migrations) < 16 {
		t.Errorf("after: %d %v %q", code, err, out)
	}
	if code, sql, _ := calls(environment, "migrate", "--dry-run"); code != exitDone || sql != "-- nothing is pending\n" {
		t.Errorf("--dry-run after: %d %q", code, sql)
	}
	if code, _, errs := calls(map[string]string{"DATABASE_URL": "postgres://127.0.0.1:1/x"}, "migrate"); code != exitDatabase {
		t.Errorf("without a server: %d %q", code, errs)
	}
}

func TestHealthcheckNeedsNoDatabase(t *testing.T) {
	t.Parallel()
	s := startService(t, stacktest.MigratedDatabase(t), "MIGRATE_ON_START=false")
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{"WORKER_SERVICE_PORT": port, "WORKER_SERVICE_HOST": "0.0.0.0"}
	if code, _, errs := calls(environment, "healthcheck"); code != exitDone {
		t.Errorf("healthcheck: %d, %s", code, errs)
	}
	s.stop(syscall.SIGTERM)
	if code, _, _ := calls(environment, "healthcheck"); code != exitFailed {
		t.Errorf("without a service: %d", code)
	}
}

func TestAServiceThatIsNotToMigrateSaysWhoIs(t *testing.T) {
	t.Parallel()
	db := stacktest.Database(t)
	environment := func(more ...string) map[string]string {
		e := map[string]string{"DATABASE_URL": db, "TEMPORAL_ADDRESS": stacktest.TemporalAddress(t), "WORKER_SERVICE_PORT": "0", "WORKER_SERVICE_HOST": "127.0.0.1", "TEMPORAL_CONFIG_FILE": os.DevNull}
		for _, m := range more {
			name, value, _ := strings.Cut(m, "=")
			e[name] = value
		}
		return e
	}
	file := filepath.Join(t.TempDir(), "order.ts")
	if err := os.WriteFile(file, []byte("export async function order() {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{
		{"run"}, {"status"}, {"status", "--replicas"}, {"check", "--against", "orders", file},
	} {
		code, _, errs := calls(environment("MIGRATE_ON_START=false"), command...)
		if code != exitDatabase || !strings.Contains(errs, "was never migrated: run `workflow-worker migrate` as the owner") || strings.Contains(errs, ".sql") {
			t.Errorf("%s: %d: %s", command, code, errs)
		}
	}
}

// What a start is about to make isn't said to be missing.
func TestAStartOnAnEmptyDatabaseIsNoStory(t *testing.T) {
	t.Parallel()
	s := startService(t, stacktest.Database(t))
	if told := s.output(); strings.Contains(told, "run the migrations") {
		t.Error(told)
	}
}

// What a signal ends before anything began needs no explanation.
func TestASignalBeforeTheDatabaseAnswersIsNoStory(t *testing.T) {
	t.Parallel()
	port, err := stack.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	for migrates, waitsFor := range map[string]string{"true": "can't be migrated yet", "false": "schema can't be looked at yet"} {
		s := launchService(t, fmt.Sprintf("postgres://u:p@127.0.0.1:%d/none", port), "MIGRATE_ON_START="+migrates)
		eventually(t, "it has said all that it waits for", func() error {
			if told := s.output(); !strings.Contains(told, waitsFor) || !strings.Contains(told, "dependency does not answer") {
				return errors.New(told)
			}
			return nil
		})
		before := len(s.output())
		if code := s.stop(syscall.SIGTERM); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if told := s.output()[before:]; regexp.MustCompile(`level=(WARN|ERROR)|^workflow-worker:`).MatchString(told) {
			t.Errorf("it tells a story: %s", told)
		}
	}
}
