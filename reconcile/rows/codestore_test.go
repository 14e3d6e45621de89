package rows_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
	"workflow-worker/runtime"
)

var _ runtime.CodeStore = (*rows.CodeStore)(nil)

func TestTheCodeStoreGivesBackWhatWasPut(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	store := rows.NewCodeStore(h.DB)
	p, w := uuid.NewString(), uuid.NewString() // no rows needed: the text outlives them
	modules := []runtime.StoredModule{
		{Hash: "h1", Kind: runtime.KindWorkflow, WorkflowID: w, Name: "order", Version: "1", Code: strings.Repeat("ü'\\", 30000), ActivitiesCode: "acts", CompilerSettings: "1", SDK: "1.24.0"},
		{Hash: "h2", Kind: runtime.KindComponent, Name: "score", Code: "code"},
		{Hash: "h1", Kind: runtime.KindWorkflow, WorkflowID: w, Name: "the same text twice", Version: "1", Code: "x"},
	}
	for range 2 { // again changes nothing
		if err := store.Put(t.Context(), p, modules); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range modules[:2] {
		got, err := store.Get(t.Context(), p, want.Hash)
		if err != nil || got != want {
			t.Errorf("%s: got %.80v…, %v", want.Hash, got, err)
		}
	}
	if err := store.Put(t.Context(), p, []runtime.StoredModule{{Hash: "h2", Kind: runtime.KindComponent, Name: "other", Code: "other"}}); err != nil {
		t.Fatal(err)
	}
	if got, _ := store.Get(t.Context(), p, "h2"); got != modules[1] {
		t.Errorf("a text was replaced under its hash: %+v", got)
	}
	// It was stored before its settings and SDK were written down; now they are.
	h2 := modules[1]
	h2.CompilerSettings, h2.SDK = "1", "1.25.0"
	if err := store.Put(t.Context(), p, []runtime.StoredModule{h2}); err != nil {
		t.Fatal(err)
	}
	newer := modules[0]
	newer.SDK = "1.25.0"
	if err := store.Put(t.Context(), p, []runtime.StoredModule{newer}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []runtime.StoredModule{modules[0], h2} {
		if got, _ := store.Get(t.Context(), p, want.Hash); got != want {
			t.Errorf("%s: settings %q, SDK %q", want.Hash, got.CompilerSettings, got.SDK)
		}
	}
	var times int
	err := h.Pool.QueryRow(t.Context(), `SELECT count(*) FROM workflow_code_store
		WHERE project_id = $1 AND created_at < last_used_at AND compiler_settings = '1' AND sdk_version = CASE hash WHEN 'h1' THEN '1.24.0' ELSE '1.25.0' END`, p).Scan(&times)
	if err != nil || times != 2 {
		t.Errorf("%d of 2 rows say when they were first and last used, and with what: %v", times, err)
	}
	if err := store.Put(t.Context(), p, nil); err != nil {
		t.Error(err)
	}
}

func TestAMissingHashIsErrCodeNotFound(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	store := rows.NewCodeStore(h.DB)
	p := uuid.NewString()
	if err := store.Put(t.Context(), uuid.NewString(), []runtime.StoredModule{{Hash: "h", Kind: runtime.KindWorkflow}}); err != nil {
		t.Fatal(err)
	}
	_, err := store.Get(t.Context(), p, "h")
	if !errors.Is(err, runtime.ErrCodeNotFound) || !strings.Contains(err.Error(), p) {
		t.Errorf("another project's hash: %v", err)
	}
	h.DB.Close()
	if _, err := store.Get(t.Context(), p, "h"); err == nil || errors.Is(err, runtime.ErrCodeNotFound) {
		t.Errorf("without a database: %v; must not look like a missing text", err)
	}
}

func TestManyMayPutTheSameTextsAtOnce(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	store := rows.NewCodeStore(h.DB)
	p := uuid.NewString()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			var modules []runtime.StoredModule
			for j := range 50 {
				k := (i*7 + j*(1-2*(i%2)) + 50) % 50 // each in an order of its own
				modules = append(modules, runtime.StoredModule{Hash: fmt.Sprint(k), Kind: runtime.KindWorkflow, Code: "x"})
			}
			if err := store.Put(t.Context(), p, modules); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := rowstest.One[int](h, `SELECT count(*)::int FROM workflow_code_store`); n != 50 {
		t.Errorf("%d rows, want 50", n)
	}
}

func TestPackagesAreKeptAsLongAsCodeRefersToThem(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	store := rows.NewCodeStore(h.DB)
	p := uuid.NewString()
	bundle := runtime.StoredPackages{Hash: "b1", Kind: "workflow", Names: []string{"lodash", "zod"}, Code: strings.Repeat("ü", 1<<20), Map: "{}"}
	other := runtime.StoredPackages{Hash: "b2", Kind: "activity", Names: []string{"axios"}, Code: "2"}
	for range 2 {
		if err := store.PutPackages(t.Context(), []runtime.StoredPackages{other, bundle, other}); err != nil {
			t.Fatal(err)
		}
	}
	code := runtime.StoredModule{Hash: "h", Kind: runtime.KindWorkflow, Code: "x", ActivitiesCode: "y", Packages: "b1", ActivitiesPackages: "b2"}
	component := runtime.StoredModule{Hash: "c", Kind: runtime.KindComponent, Code: "x", Packages: "b2"}
	if err := store.Put(t.Context(), p, []runtime.StoredModule{code, component}); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Get(t.Context(), p, "h"); err != nil || got != code {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := store.GetPackages(t.Context(), "b1"); err != nil || !reflect.DeepEqual(got, bundle) {
		t.Errorf("got %.80v, %v", got, err)
	}
	if _, err := store.GetPackages(t.Context(), "b3"); !errors.Is(err, runtime.ErrCodeNotFound) {
		t.Errorf("packages that aren't there: %v", err)
	}
	left := func() string {
		if err := store.RemovePackages(t.Context(), -time.Minute); err != nil {
			t.Fatal(err)
		}
		return rowstest.One[string](h, `SELECT coalesce(string_agg(hash, ' ' ORDER BY hash), '') FROM workflow_package_bundles`)
	}
	if got := left(); got != "b1 b2" {
		t.Errorf("with code that refers to them, %q are left", got)
	}
	h.Exec(`DELETE FROM workflow_code_store WHERE hash = 'h'`)
	if got := left(); got != "b2" {
		t.Errorf("without the workflow, %q are left", got)
	}
	h.Exec(`DELETE FROM workflow_code_store`)
	if err := store.RemovePackages(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if n := rowstest.One[int](h, `SELECT count(*)::int FROM workflow_package_bundles`); n != 1 {
		t.Error("packages went that code may refer to a moment later")
	}
	if got := left(); got != "" {
		t.Errorf("without code, %q are left", got)
	}
}
