package migrations_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

// The service's own role is not to be made an owner: who must migrate is named, and nothing else.
func TestTheServicesRoleIsToldWhoMigrates(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t).withRole()
	d.exec(`DELETE FROM workflow_worker.schema_version WHERE version_id = $1`, migrations.Newest())
	err := migrations.Run(t.Context(), d.as(serviceRole), stacktest.Logger(t))
	var pending *migrations.PendingError
	if !errors.As(err, &pending) || len(pending.Pending) != 1 || pending.Role != serviceRole || pending.Owner == "" {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{pending.Pending[0].Name, "run `workflow-worker migrate` as the owner (" + pending.Owner + ")"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
	if strings.Contains(err.Error(), "GRANT") {
		t.Errorf("it proposes to grant something: %v", err)
	}
	if _, err := migrations.Check(t.Context(), d.url); !errors.As(err, &pending) || pending.Role != "" {
		t.Errorf("a process that isn't to migrate: %v", err)
	}
	if err := migrations.Run(t.Context(), d.url, stacktest.Logger(t)); err != nil {
		t.Error(err)
	}
	if s, err := migrations.Check(t.Context(), d.as(serviceRole)); err != nil || s.Newer() || s.Never() {
		t.Errorf("%+v, %v", s, err)
	}
	d.exec(`INSERT INTO workflow_worker.schema_version (version_id, is_applied) VALUES (998, true), (999, true)`)
	if s, err := migrations.Check(t.Context(), d.url); err != nil || !s.Newer() || !strings.Contains(s.NewerText(), "999") {
		t.Errorf("%+v, %v", s, err)
	}
}

// Who owns the tables may make roles and yet have no right to give REPLICATION.
func TestTheRoleIsMadeWithoutReplicationByWhoCantGiveIt(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{})
	admin, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	for _, sql := range []string{`CREATE ROLE owner LOGIN CREATEROLE`, `CREATE DATABASE owned OWNER owner`} {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	owners := strings.Replace(server.URL("owned"), "//postgres@", "//owner@", 1)
	if err := migrations.Run(t.Context(), owners, stacktest.Logger(t)); err != nil {
		t.Fatal(err)
	}
	config, err := pgx.ParseConfig(owners)
	if err != nil {
		t.Fatal(err)
	}
	var notices []string
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices = append(notices, n.Message) }
	owner, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(t.Context())
	for range 2 { // again after an upgrade
		if _, err := owner.Exec(t.Context(), migrations.RoleSQL()); err != nil {
			t.Fatal(err)
		}
	}
	var replicates bool
	if err := admin.QueryRow(t.Context(), `SELECT rolreplication FROM pg_roles WHERE rolname = $1`, serviceRole).Scan(&replicates); err != nil || replicates {
		t.Errorf("replicates: %t, %v", replicates, err)
	}
	if said := strings.Join(notices, "\n"); !strings.Contains(said, "ALTER ROLE workflow_worker_service REPLICATION") {
		t.Errorf("what a superuser must run is not in %q", said)
	}
	service := strings.Replace(server.URL("owned"), "//postgres@", "//"+serviceRole+"@", 1)
	if err := migrations.Run(t.Context(), service, stacktest.Logger(t)); err != nil {
		t.Errorf("the role, with nothing pending: %v", err)
	}
}

// The view shows what its reader may see, and leaves what somebody else has called so.
func TestProjectStatusIsTheReadersOwn(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t).withRole()
	if n := d.string(`SELECT count(*)::text FROM project_status`); n != "2" {
		t.Errorf("the owner sees %s projects", n)
	}
	if n := d.session(t, serviceRole, "").string(`SELECT count(*)::text FROM project_status`); n != "2" {
		t.Errorf("the service's role sees %s projects", n)
	}
	if got := d.session(t, "authenticated", annAuth).string(`SELECT string_agg(project_id::text, ',') FROM project_status`); got != annProject {
		t.Errorf("a signed-in user sees %s", got)
	}
	d.session(t, "anon", "").forbidden(`SELECT * FROM project_status`)

	other := emptyDatabase(t)
	other.exec(`CREATE TYPE public.project_status AS ENUM ('mine')`)
	if err := migrations.Run(t.Context(), other.url, stacktest.Logger(t)); err != nil {
		t.Error(err)
	}
	if kind := other.string(`SELECT typtype::text FROM pg_type WHERE typname = 'project_status'`); kind != "e" {
		t.Errorf("somebody's type became %q", kind)
	}
	other.withRole()
}
