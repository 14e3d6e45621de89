package migrations_test

import (
	"strings"
	"testing"

	"workflow-worker/migrations"
)

// realtimeSchema is as much of Supabase's as its Broadcast from the database takes.
const realtimeSchema = `
CREATE SCHEMA realtime;
CREATE TABLE realtime.messages (topic text, extension text, payload jsonb, event text, private boolean);
ALTER TABLE realtime.messages ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION realtime.topic() RETURNS text LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('realtime.topic', true), '') $$;
CREATE FUNCTION realtime.send(payload jsonb, event text, topic text, private boolean DEFAULT true) RETURNS void LANGUAGE sql
    AS $$ INSERT INTO realtime.messages VALUES (topic, 'broadcast', payload, event, private) $$;
GRANT USAGE ON SCHEMA realtime TO authenticated, anon;
GRANT SELECT ON realtime.messages TO authenticated, anon;`

func TestRealtimeTellsOfOwnExecutionsWithoutTheirValues(t *testing.T) {
	t.Parallel()
	onSupabase(t, func(t *testing.T, d *database) {
		d.exec(realtimeSchema)
		for range 2 {
			d.exec(migrations.RealtimeSQL())
		}
		executionsOf(d)
		d.exec(`TRUNCATE realtime.messages`)
		const running = "a0000000-0000-4000-8000-000000000008"
		d.exec(`UPDATE workflow_executions SET status = 'completed', output = '"secret"' WHERE id = $1`, running)
		d.exec(`UPDATE workflow_executions SET activities_executed = 1 WHERE id = $1`, running) // nothing that anybody waits for
		if got := d.strings(`SELECT topic || ' ' || private || ' ' || (payload->>'status') FROM realtime.messages ORDER BY 1`); strings.Join(got, ", ") !=
			"execution:"+running+" true completed, project:"+annProject+" true completed" {
			t.Errorf("messages %v", got)
		}
		if got := d.string(`SELECT count(*)::text FROM realtime.messages WHERE payload::text LIKE '%secret%' OR NOT payload ?& '{id,status,version}'`); got != "0" {
			t.Errorf("%s messages carry values, or lack what they should carry", got)
		}
		const step = `INSERT INTO component_executions (workflow_execution_id, status, kind, output_data) SELECT $1, 'running', 'activity', '"secret"' FROM generate_series(1, 3)`
		d.exec(step, running)
		d.exec(`UPDATE component_executions SET status = 'completed' WHERE workflow_execution_id = $1`, running)
		if got := d.strings(`SELECT topic || ' ' || private FROM realtime.messages WHERE event = 'step' AND payload ?& '{id,version}' AND payload::text NOT LIKE '%secret%'`); strings.Join(got, ", ") !=
			"execution:"+running+" true, execution:"+running+" true" {
			t.Errorf("messages about steps %v", got)
		}
		for topic, hears := range map[string][2]string{
			"execution:" + running: {"4", "0"}, "project:" + annProject: {"4", "0"}, "project:" + benProject: {"0", "4"}, "execution:x": {"0", "0"}, "": {"0", "0"},
		} {
			for i, user := range []string{annAuth, benAuth} {
				s := d.session(t, "authenticated", user)
				s.strings(`SELECT set_config('realtime.topic', $1, false)`, topic)
				if n := s.string(`SELECT count(*)::text FROM realtime.messages`); n != hears[i] {
					t.Errorf("user %d hears %s messages on %q, want %s", i, n, topic, hears[i])
				}
				s.strings(`SELECT set_config('realtime.topic', '', false)`)
			}
		}
		if n := d.session(t, "anon", "").string(`SELECT count(*)::text FROM realtime.messages`); n != "0" {
			t.Errorf("a visitor hears %s messages", n)
		}
	})
}

func TestRealtimeSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	d := migratedSupabase(t)
	if _, err := d.conn.Exec(t.Context(), migrations.RealtimeSQL()); err == nil || !strings.Contains(err.Error(), "realtime.send") {
		t.Errorf("without Realtime: %v", err)
	}
	for range 2 {
		d.exec(migrations.RealtimeChangesSQL())
	}
	if n := d.string(`SELECT count(*)::text FROM pg_publication_tables WHERE pubname = 'supabase_realtime'`); n != "2" {
		t.Errorf("%s tables are published", n)
	}
	// The owner's UPDATE still works.
	d.exec(`UPDATE workflow_executions SET status = 'failed'`)
}
