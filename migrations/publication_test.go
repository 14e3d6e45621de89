package migrations_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

const published = `SELECT pubname || ': ' || tablename || ' ' || attnames::text || coalesce(' where ' || rowfilter, '')
	FROM pg_publication_tables WHERE pubname IN ($1, $2) ORDER BY 1`

func (d *database) published() []string {
	return d.strings(published, migrations.Publication, migrations.RequestsPublication)
}

func TestPublicationsCarryKeysAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(testing.TB) *database{"empty": migratedEmpty, "builder": migratedBuilder} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := make(t)
			if got, want := d.published(), []string{
				"workflow_worker: components {id,project_id}",
				"workflow_worker: projects {id}",
				"workflow_worker: workflow_compiled_code {id,workflow_id}",
				"workflow_worker: workflows {id,project_id}",
				"workflow_worker_requests: worker_requests {id,project_id}",
			}; !slices.Equal(got, want) {
				t.Errorf("published:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if got, want := d.strings(`SELECT concat_ws(' ', pubname, pubinsert, pubupdate, pubdelete, pubtruncate) FROM pg_publication ORDER BY 1`),
				[]string{"workflow_worker t t t t", "workflow_worker_requests t f f f"}; !slices.Equal(got, want) {
				t.Errorf("operations %v, want %v", got, want)
			}
		})
	}
}

// changes returns the stream's messages since the last call: their first byte tells
// the kind, the rest is pgoutput's.
func (d *database) changes() (all [][]byte) {
	d.Helper()
	rows, err := d.conn.Query(d.Context(), `SELECT data FROM pg_logical_slot_get_binary_changes('keys', NULL, NULL,
		'proto_version', '1', 'publication_names', $1)`, migrations.Publication+","+migrations.RequestsPublication)
	if err != nil {
		d.Fatal(err)
	}
	messages, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		d.Fatal(err)
	}
	for _, m := range messages {
		if strings.ContainsRune("IUDT", rune(m[0])) {
			all = append(all, m)
		}
	}
	return all
}

func TestTheStreamNamesTheProjectAndCarriesNoCode(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t)
	d.exec(`SELECT pg_create_logical_replication_slot('keys', 'pgoutput', true)`) // temporary

	one := func(what string, kind byte, keys ...string) {
		t.Helper()
		got := d.changes()
		if len(got) != 1 || got[0][0] != kind {
			t.Fatalf("%s: messages %q, want one of kind %c", what, got, kind)
		}
		for _, key := range keys {
			if !bytes.Contains(got[0], []byte(key)) {
				t.Errorf("%s: %q does not name %s", what, got[0], key)
			}
		}
		if len(got[0]) > 250 {
			t.Errorf("%s: %d bytes: more than keys", what, len(got[0]))
		}
	}
	d.exec(`UPDATE workflow_compiled_code SET workflow_code = repeat('secret', 20000) WHERE id = $1`, annCode)
	one("code edited", 'U', annCode, annWorkflow)
	d.exec(`UPDATE projects SET task_queue_name = 'renamed' WHERE id = $1`, annProject)
	one("project changed", 'U', annProject)
	d.exec(`UPDATE workflows SET project_id = $1 WHERE id = $2`, benProject, annWorkflow)
	one("workflow moved", 'U', annWorkflow, annProject, benProject) // both projects
	d.exec(`DELETE FROM workflow_compiled_code WHERE id = $1`, annCode)
	one("code deleted", 'D', annCode, annWorkflow)
	d.exec(`DELETE FROM workflows WHERE id = $1`, annWorkflow)
	one("workflow deleted", 'D', annWorkflow, benProject)
	d.exec(`INSERT INTO worker_requests (project_id, action) VALUES ($1, 'stop')`, annProject)
	one("request made", 'I', annProject)

	// What the service writes never comes back as work.
	d.exec(`UPDATE worker_requests SET status = 'processing', started_at = now()`)
	d.exec(`UPDATE workflow_workers SET last_heartbeat = now()`)
	d.exec(`INSERT INTO workflow_code_store (project_id, hash, kind) VALUES ($1, 'h', 'workflow')`, annProject)
	d.exec(`INSERT INTO workflow_live_code (project_id, source_kind, source_id, hash) VALUES ($1, 'workflow', $1, 'h')`, annProject)
	d.exec(`UPDATE activity_statistics SET execution_count = 8`)
	d.exec(`DELETE FROM worker_requests`)
	if got := d.changes(); len(got) > 0 {
		t.Errorf("our own writes are in the stream: %q", got)
	}
}

// Somebody else's choices: PostgreSQL refuses their UPDATE and DELETE if ours don't fit.
func TestOthersReplicaIdentitiesAndPublicationsStay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, identity, want string }{
		"identity full": {
			`ALTER TABLE workflows REPLICA IDENTITY FULL; ALTER TABLE projects REPLICA IDENTITY FULL`, "f",
			"layout", // all columns: FULL allows no list
		},
		"another index": {
			`ALTER TABLE workflows REPLICA IDENTITY USING INDEX workflows_kebab_name_version_created_by_key`, "i",
			"{id,kebab_name,created_by,project_id,version}",
		},
		"another publication's list": {
			`CREATE PUBLICATION others FOR TABLE workflows (id, kebab_name, display_name)`, "d", "{id,project_id}",
		},
		"another publication of all": {
			`CREATE PUBLICATION others FOR ALL TABLES`, "i", "{id,project_id}",
		},
		"project_id may be null": {
			`ALTER TABLE workflows ALTER project_id DROP NOT NULL`, "d", "{id,project_id}",
		},
		"no identity": {
			`ALTER TABLE workflows REPLICA IDENTITY NOTHING`, "i", "{id,project_id}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := builderDatabase(t)
			d.exec(c.before)
			migrated(d)
			if got := d.string(`SELECT relreplident::text FROM pg_class WHERE oid = 'workflows'::regclass`); got != c.identity {
				t.Errorf("replica identity %q, want %q", got, c.identity)
			}
			got := d.string(`SELECT attnames::text FROM pg_publication_tables WHERE pubname = 'workflow_worker' AND tablename = 'workflows'`)
			if !strings.Contains(got, c.want) {
				t.Errorf("published %s, want %s", got, c.want)
			}
			// Fails where a list doesn't cover the identity.
			d.exec(`UPDATE workflows SET display_name = 'x'`)
			d.exec(`UPDATE projects SET description = 'x'`)
			d.exec(`DELETE FROM workflows WHERE id = $1`, annWorkflow)
			d.exec(`DELETE FROM projects WHERE id = $1`, benProject)
		})
	}
}

// Without logical decoding the service polls; that is no reason not to migrate.
func TestRunWarnsWithoutLogicalDecoding(t *testing.T) {
	t.Parallel()
	p := stacktest.Postgres(t, stack.PostgresOptions{Settings: map[string]string{"wal_level": "replica"}})
	log := newRecorder()
	if err := migrations.Run(t.Context(), p.URL("postgres"), log.logger()); err != nil {
		t.Fatal(err)
	}
	if !log.contains("WARN", "wal_level") {
		t.Errorf("no warning about wal_level:\n%s", log)
	}
}
