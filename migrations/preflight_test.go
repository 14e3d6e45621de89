package migrations_test

import (
	"errors"
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

// What stands in the way is named, all at once, before anything is changed.
func TestRunSaysWhatStandsInTheWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fixture func(testing.TB) *database
		before  string
		role    bool // run as the role "dba" of this database, made by before
		want    []string
	}{
		"tables of another owner": {
			fixture: builderDatabase, role: true,
			before: `ALTER TABLE workflows OWNER TO DBA; GRANT CREATE ON DATABASE DATABASE TO DBA; GRANT CREATE ON SCHEMA public TO DBA`,
			want: []string{
				`may not alter table public.projects, which belongs to postgres: run as postgres, or GRANT postgres TO `,
				`may not alter table public.workflow_workers`,
			},
		},
		"no right to create": {
			fixture: emptyDatabase, role: true, before: `SELECT 1`,
			want: []string{"GRANT CREATE ON DATABASE ", "GRANT USAGE, CREATE ON SCHEMA public TO "},
		},
		"somebody else's publication": {
			fixture: emptyDatabase, role: true,
			before: `CREATE PUBLICATION workflow_worker; GRANT CREATE ON DATABASE DATABASE TO DBA; GRANT CREATE ON SCHEMA public TO DBA`,
			want:   []string{"Publication workflow_worker belongs to postgres"},
		},
		"a Workflow Builder too old": {
			fixture: builderDatabase, before: `ALTER TABLE workflows RENAME kebab_name TO name; ALTER TABLE workflow_compiled_code DROP is_active, DROP compiled_at`,
			want: []string{
				"public.workflows exists, but has no column kebab_name: is it the Workflow Builder's table, and are its migrations up to date?",
				"public.workflow_compiled_code exists, but has no column is_active, compiled_at",
			},
		},
		"a namesake": {
			fixture: emptyDatabase, before: `CREATE VIEW components AS SELECT 1 AS id; CREATE TABLE projects (id bigint, name text, task_queue_name text)`,
			want: []string{
				"public.components exists, but is not a table", "public.components exists, but has no column name",
				"public.projects.id is of type bigint", "public.projects has no primary key on id",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := c.fixture(t)
			url, role := d.url, "dba_"+d.name
			if c.role {
				d.exec(`CREATE ROLE ` + role + ` LOGIN`)
				t.Cleanup(func() { d.exec(`DROP OWNED BY ` + role + ` CASCADE`); d.exec(`DROP ROLE ` + role) })
				url = d.as(role)
			}
			d.exec(strings.NewReplacer("DBA", role, " DATABASE DATABASE ", " DATABASE "+d.name+" ").Replace(c.before))
			before := d.catalog()

			err := migrations.Run(t.Context(), url, stacktest.Logger(t))
			var problems *migrations.PreflightError
			if !errors.As(err, &problems) {
				t.Fatalf("error %v, want a *PreflightError", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks: %s", err, want)
				}
			}
			if diff := difference(before, d.catalog()); len(diff) > 0 {
				t.Errorf("changed all the same: %q", diff)
			}
		})
	}
}

// A member of the role that owns the tables may migrate, as on Supabase.
func TestAMemberOfTheOwnerMayMigrate(t *testing.T) {
	t.Parallel()
	d := builderDatabase(t)
	owner, member := "owner_"+d.name, "member_"+d.name
	d.exec(`CREATE ROLE ` + owner + `; CREATE ROLE ` + member + ` LOGIN IN ROLE ` + owner)
	t.Cleanup(func() {
		for _, role := range []string{member, owner} {
			d.exec(`DROP OWNED BY ` + role + ` CASCADE`)
			d.exec(`DROP ROLE ` + role)
		}
	})
	for _, table := range d.strings(`SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`) {
		d.exec(`ALTER TABLE ` + table + ` OWNER TO ` + owner)
	}
	d.exec(`GRANT CREATE ON DATABASE ` + d.name + ` TO ` + owner + `; GRANT ALL ON SCHEMA public, auth TO ` + owner)
	if err := migrations.Run(t.Context(), d.as(member), stacktest.Logger(t)); err != nil {
		t.Fatal(err)
	}
	s := d.session(t, "authenticated", annAuth)
	if got := s.strings(`SELECT project_id::text FROM workflow_workers`); len(got) != 1 {
		t.Errorf("Ann sees the workers of %v", got)
	}
	s.must(1, `INSERT INTO worker_requests (project_id, action) VALUES ($1, 'start')`, annProject)
}

func TestRunNamesTheServerItCantReach(t *testing.T) {
	t.Parallel()
	if err := migrations.Run(t.Context(), "postgres://nobody@127.0.0.1:1/none?sslmode=disable", nil); err == nil || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("error %v, want one that names the address", err)
	}
	if err := migrations.Run(t.Context(), "postgres://%zz", nil); err == nil {
		t.Error("no error for a broken URL")
	}
}
