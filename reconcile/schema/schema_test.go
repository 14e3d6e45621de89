package schema

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack/stacktest"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

var update = flag.Bool("update", false, "write the files anew")

func TestTheSchemasAreOfTheTypesAndTables(t *testing.T) {
	t.Parallel()
	db, err := pgx.Connect(t.Context(), stacktest.MigratedDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	made, err := generate(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if r := api.Transform(string(made[tsFile]), api.TransformOptions{Loader: api.LoaderTS}); len(r.Errors) > 0 {
		t.Errorf("%s is no TypeScript: %s", tsFile, r.Errors[0].Text)
	}
	for name, want := range made {
		if *update {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(name); err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s is stale (%v): run `make schema`", name, err)
		}
	}
}
