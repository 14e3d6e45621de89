package migrations_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

// owners is what a database's owner has made of their tables, before or after our
// migrations; published is what becomes of workflows, "" where it has to be left out.
var owners = []struct {
	name, made             string
	published, published18 string
}{
	{"nothing special", `SELECT`, "id,project_id", "id,project_id"},
	{"full identity and a stored generated column",
		`ALTER TABLE workflows ADD upper_name text GENERATED ALWAYS AS (upper(kebab_name)) STORED; ALTER TABLE workflows REPLICA IDENTITY FULL`, "kebab_name", "upper_name"},
	{"full identity and a virtual generated column", `ALTER TABLE workflows ADD upper_name text GENERATED ALWAYS AS (upper(kebab_name)) VIRTUAL; ALTER TABLE workflows REPLICA IDENTITY FULL`, "-", ""},
	{"identity's index on a generated column",
		`ALTER TABLE workflows ADD upper_name text GENERATED ALWAYS AS (upper(kebab_name)) STORED; ALTER TABLE workflows ALTER upper_name SET NOT NULL;
		CREATE UNIQUE INDEX by_upper ON workflows (upper_name, id); ALTER TABLE workflows REPLICA IDENTITY USING INDEX by_upper`, "kebab_name", "upper_name"},
	{"no identity, and none to be had", `ALTER TABLE workflows ALTER project_id DROP NOT NULL; ALTER TABLE workflows REPLICA IDENTITY NOTHING`, "", ""},
	{"identity's index gone",
		`ALTER TABLE workflows ALTER project_id DROP NOT NULL; CREATE UNIQUE INDEX gone ON workflows (id, created_at); ALTER TABLE workflows ALTER created_at SET NOT NULL;
		ALTER TABLE workflows REPLICA IDENTITY USING INDEX gone; DROP INDEX gone`, "", ""},
	{"not logged", `ALTER TABLE workflow_compiled_code SET UNLOGGED; ALTER TABLE workflows SET UNLOGGED`, "", ""},
}

// With our publications the owner's own statements go on working, whatever kind of
// tables theirs are, and what can't be published is said.
func TestOurPublicationsNeverBreakTheOwnersWrites(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"this machine's", "18"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			start := stacktest.Postgres
			if version == "18" {
				start = stacktest.Postgres18
			}
			p := start(t, stack.PostgresOptions{})
			for i, o := range owners {
				want := o.published
				if version == "18" {
					want = o.published18
				}
				if want == "-" {
					continue // that version has no such thing
				}
				t.Run(o.name, func(t *testing.T) {
					name := fmt.Sprintf("owner_%d", i)
					admin, err := pgx.Connect(t.Context(), p.URL("postgres"))
					if err != nil {
						t.Fatal(err)
					}
					defer admin.Close(context.WithoutCancel(t.Context()))
					if _, err := admin.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
						t.Fatal(err)
					}
					c, err := pgx.Connect(t.Context(), p.URL(name))
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close(context.WithoutCancel(t.Context()))
					exec := func(sql string) {
						t.Helper()
						if _, err := c.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
							t.Fatalf("%s: %v", sql, err)
						}
					}
					exec(`CREATE TABLE projects (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, task_queue_name text NOT NULL)`)
					exec(`CREATE TABLE workflows (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), project_id uuid NOT NULL, kebab_name text NOT NULL,
						definition jsonb, created_at timestamptz DEFAULT now())`)
					exec(`CREATE TABLE workflow_compiled_code (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), workflow_id uuid NOT NULL, version text, workflow_code text,
						activities_code text, is_active boolean DEFAULT true, compiled_at timestamptz DEFAULT now())`)
					exec(`INSERT INTO projects (name, task_queue_name) VALUES ('x', 'x')`)
					exec(`INSERT INTO workflows (project_id, kebab_name) SELECT id, 'a' FROM projects`)
					exec(o.made)
					log := newRecorder()
					if err := migrations.Run(t.Context(), p.URL(name), log.logger()); err != nil {
						t.Fatal(err)
					}
					exec(`UPDATE workflows SET kebab_name = 'b'`)
					exec(`UPDATE projects SET name = 'y'`)
					exec(`DELETE FROM workflows`)
					var got string
					if err := c.QueryRow(t.Context(), `SELECT coalesce(max(array_to_string(attnames, ',')), '') FROM pg_publication_tables
						WHERE pubname = 'workflow_worker' AND tablename = 'workflows'`).Scan(&got); err != nil {
						t.Fatal(err)
					}
					if want == "" && (got != "" || !log.contains("WARN", "workflows is not published")) || !strings.Contains(got, want) {
						t.Errorf("published columns %q, want %q; log:\n%s", got, want, log)
					}
				})
			}
		})
	}
}
