package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"workflow-worker/docker/stack/stacktest"
)

// modulesDir writes a package of each name that exports what it is told.
func modulesDir(t testing.TB, dir string, packages map[string]string) {
	t.Helper()
	for name, value := range packages {
		path := filepath.Join(dir, "node_modules", name, "index.js")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("exports.rate = "+value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnExecutionKeepsItsPackagesThroughUpgradesAndTheirLoss(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	dir := t.TempDir()
	modulesDir(t, dir, map[string]string{"tax": "19", "unit": `"g"`})
	settings := []string{"WORKFLOW_CACHE_SIZE=1", "MODULES_DIR=" + dir}
	s := startService(t, db, settings...)
	p := newBuilder(t, db).project()
	p.workflow("bill", flow("bill", "bill", `return [rate, await acts.unitOf()];`)+`
		import { rate } from 'tax';
		import { proxyActivities } from '@temporalio/workflow';
		const acts: any = proxyActivities({ startToCloseTimeout: '10s' });`)
	p.workflow("plain", flow("plain", "plain", `return 'plain';`))
	p.component("unitOf", `import { rate } from 'unit'; export async function unitOf() { return rate; }`)
	p.running(liveVersion("bill", "1"))
	old, plain := p.start("bill"), p.start("plain")
	p.version(old.GetID(), "", "bill")
	p.version(plain.GetID(), "", "plain")
	before, err := p.worker()
	if err != nil {
		t.Fatal(err)
	}
	hash := func(w workerRow, name string) string {
		t.Helper()
		live, err := source(w, name)
		if err != nil {
			t.Fatal(err)
		}
		return live.Hash
	}

	// The packages are upgraded: what runs stays, what begins takes the new.
	s.stop(syscall.SIGTERM)
	modulesDir(t, dir, map[string]string{"tax": "21", "unit": `"kg"`})
	s = startService(t, db, settings...)
	after := p.running(func(w workerRow) error {
		live, err := source(w, "bill")
		if err == nil && live.Hash == hash(before, "bill") {
			err = fmt.Errorf("the hash is still %s", live.Hash)
		}
		return err
	})
	if hash(after, "plain") != hash(before, "plain") {
		t.Error("a workflow without packages got another hash")
	}
	p.version(old.GetID(), "", "bill")
	fresh := p.start("bill")
	p.version(fresh.GetID(), "", "bill")

	// They are gone: both go on, and so does the row, on its last good version.
	s.stop(syscall.SIGTERM)
	if err := os.RemoveAll(filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	startService(t, db, settings...)
	p.running(func(w workerRow) error {
		live, err := source(w, "bill")
		if err == nil && (live.Hash != hash(after, "bill") || live.Error == nil || !strings.Contains(live.Error.Message, `can't import "tax"`)) {
			err = fmt.Errorf("bill is %+v", live)
		}
		return err
	})
	third := p.start("bill")
	for want, run := range map[string]interface{ GetID() string }{"[19 kg]": old, "[21 kg]": fresh, "[21 kg] ": third} {
		p.goOn(run.GetID())
		var got []any
		if err := p.temporal.GetWorkflow(t.Context(), run.GetID(), "").Get(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != strings.TrimSpace(want) {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	p.noFailedTasks(old)
	p.goOn(plain.GetID())
	if got := result[string](p, plain); got != "plain" {
		t.Errorf("got %q", got)
	}
}

func TestModulesDirMustBeADirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{file: "is not a directory", file + "2": "MODULES_DIR can't be read", ".": "must be an absolute path"} {
		if err := mistakesIn(settings{ModulesDir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if err := mistakesIn(settings{ModulesDir: t.TempDir()}); err != nil && strings.Contains(err.Error(), "MODULES_DIR") {
		t.Error(err)
	}
}
