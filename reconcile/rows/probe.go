package rows

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"workflow-worker/migrations/database"
)

// UnusableError says what the service can't do with a database that answers.
type UnusableError struct {
	Problems []string // one sentence each
}

// maxProblems are named; the rest is counted.
const maxProblems = 4

func (e *UnusableError) Error() string {
	if more := len(e.Problems) - maxProblems; more > 0 {
		return fmt.Sprintf("%s; and %d more", strings.Join(e.Problems[:maxProblems], "; "), more)
	}
	return strings.Join(e.Problems, "; ")
}

// ReadHidden gives an UnusableError if row level security keeps rows of what projects are made of from
// the service: then what isn't found may be there. Nil if nothing does.
func ReadHidden(ctx context.Context, db DB) error {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	rows, err := db.Query(ctx, `
SELECT `+hiddenText+`
FROM (VALUES ('projects'), ('workflows'), ('workflow_compiled_code'), ('components')) AS n (name)
CROSS JOIN LATERAL (SELECT n.name, pg_catalog.to_regclass('public.' || n.name) AS oid, 'SELECT' AS command, 'r' AS cmd) c
WHERE `+hidden)
	if err != nil {
		return fmt.Errorf("look whether rows are hidden: %w", err)
	}
	problems, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look whether rows are hidden: %w", err)
	}
	if len(problems) > 0 {
		return &UnusableError{problems}
	}
	return nil
}

// hidden says that row level security has no policy for a command on a table c: it shows no rows
// then, and says nothing.
const hidden = `pg_catalog.row_security_active(c.oid) AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_policy p
    WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd IN ('*', c.cmd::"char")
      AND (p.polroles = '{0}'::oid[] OR EXISTS (SELECT FROM pg_catalog.unnest(p.polroles) AS r (id) WHERE pg_catalog.pg_has_role(r.id, 'USAGE'))))`

const hiddenText = `pg_catalog.format('row level security lets role %I not %s public.%I (a policy is missing)', current_user, c.command, c.name)`

// probeSQL asks the catalogs alone, in one statement without parameters: it works
// on every kind of connection, sees no rows and takes no locks on the tables. A row
// for each thing that the service couldn't do. The needs are those of
// migrations/role.sql.
const probeSQL = `
WITH need (name, commands) AS (VALUES
  ('projects', 'SELECT'), ('workflows', 'SELECT'), ('workflow_compiled_code', 'SELECT'), ('components', 'SELECT'),
  ('worker_requests', 'SELECT UPDATE'),
  ('workflow_workers', 'SELECT INSERT UPDATE DELETE'), ('workflow_replicas', 'SELECT INSERT UPDATE DELETE'), ('workflow_quarantine', 'SELECT INSERT UPDATE DELETE'),
  ('workflow_quarantined_executions', 'SELECT INSERT UPDATE DELETE'),
  ('workflow_live_code', 'SELECT INSERT UPDATE DELETE'),
  ('workflow_code_store', 'SELECT INSERT UPDATE DELETE'), ('workflow_package_bundles', 'SELECT INSERT UPDATE DELETE'),
  ('workflow_execution_moves', 'SELECT INSERT UPDATE DELETE'), ('workflow_execution_stays', 'SELECT INSERT UPDATE DELETE'),
  ('workflow_execution_failures', 'SELECT INSERT UPDATE DELETE'), ('workflow_live_periods', 'SELECT INSERT UPDATE DELETE'),
  ('worker_events', 'SELECT INSERT DELETE'), ('activity_statistics', 'SELECT INSERT UPDATE'),
  ('workflow_executions', 'SELECT INSERT UPDATE DELETE'), ('workflow_execution_requests', 'SELECT UPDATE DELETE'),
  ('component_executions', 'SELECT INSERT UPDATE DELETE')
),
found AS (
  SELECT n.name, n.commands, c.oid
  FROM need n LEFT JOIN (pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace AND s.nspname = 'public')
    ON c.relname = n.name AND c.relkind IN ('r', 'p', 'v', 'f')
),
command AS (
  SELECT f.name, f.oid, c.command, CASE c.command WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w' ELSE 'd' END AS cmd
  FROM found f, pg_catalog.regexp_split_to_table(f.commands, ' ') AS c (command) WHERE f.oid IS NOT NULL
),
problem (rank, text) AS (
  SELECT 1, 'the database is a read-only standby' WHERE pg_catalog.pg_is_in_recovery()
  UNION ALL
  SELECT 1, 'the database is read-only: default_transaction_read_only is on'
  WHERE pg_catalog.current_setting('transaction_read_only') = 'on' AND NOT pg_catalog.pg_is_in_recovery()
  UNION ALL
  SELECT 2, pg_catalog.format('role %I may not use schema %I (GRANT USAGE)', current_user, s.nspname)
  FROM pg_catalog.pg_namespace s WHERE s.nspname IN ('public', 'workflow_worker') AND NOT pg_catalog.has_schema_privilege(s.oid, 'USAGE')
  UNION ALL
  SELECT 3, pg_catalog.format('there is no table public.%I (run the migrations)', name) FROM found WHERE oid IS NULL
  UNION ALL
  SELECT 4, pg_catalog.format('role %I may not %s public.%I (GRANT %s)', current_user, c.command, c.name, c.command)
  FROM command c
  WHERE NOT pg_catalog.has_table_privilege(c.oid, c.command)
    AND (c.command = 'DELETE' OR NOT pg_catalog.has_any_column_privilege(c.oid, c.command))
  UNION ALL
  SELECT 4, pg_catalog.format('role %I may not UPDATE the column %I of public.worker_requests (GRANT UPDATE)', current_user, a.attname)
  FROM found f JOIN pg_catalog.pg_attribute a ON a.attrelid = f.oid
    AND a.attname IN ('status', 'error', 'result', 'started_at', 'completed_at') AND NOT a.attisdropped
  WHERE f.name = 'worker_requests' AND pg_catalog.has_any_column_privilege(f.oid, 'UPDATE')
    AND NOT pg_catalog.has_column_privilege(f.oid, a.attnum, 'UPDATE')
  UNION ALL
  SELECT 5, ` + hiddenText + `
  FROM command c
  WHERE ` + hidden + `
  UNION ALL
  SELECT 6, pg_catalog.format('role %I may not use the sequence workflow_worker.%I (GRANT USAGE)', current_user, c.relname)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace AND s.nspname = 'workflow_worker'
  WHERE c.relkind = 'S' AND c.relname IN ('worker_events_id', 'workflow_execution_moves_seq')
    AND NOT pg_catalog.has_sequence_privilege(c.oid, 'USAGE') AND NOT pg_catalog.has_sequence_privilege(c.oid, 'UPDATE')
  UNION ALL
  SELECT 6, pg_catalog.format('role %I may not %s workflow_worker.%I (GRANT %s)', current_user, n.command, n.name, n.command)
  FROM (VALUES ('uncounted', 'INSERT'), ('counted_versions', 'SELECT')) AS n (name, command)
  JOIN pg_catalog.pg_class c ON c.relname = n.name
  JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace AND s.nspname = 'workflow_worker'
  WHERE NOT pg_catalog.has_table_privilege(c.oid, n.command)
  UNION ALL
  SELECT 6, pg_catalog.format('role %I may not call the function workflow_worker.count_up (GRANT EXECUTE)', current_user)
  FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_namespace s ON s.oid = f.pronamespace AND s.nspname = 'workflow_worker'
  WHERE f.proname = 'count_up' AND NOT pg_catalog.has_function_privilege(f.oid, 'EXECUTE')
  UNION ALL
  SELECT 6, pg_catalog.format('there is no sequence workflow_worker.%I (run the migrations)', n.name)
  FROM (VALUES ('worker_events_id'), ('workflow_execution_moves_seq')) AS n (name)
  WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace AND s.nspname = 'workflow_worker'
    WHERE c.relkind = 'S' AND c.relname = n.name)
)
SELECT text FROM problem ORDER BY rank, text`

// Probe asks whether the service can do its work with the database: an
// *UnusableError says what it can't do, any other error that it doesn't answer.
func Probe(ctx context.Context, pool *database.Pool) error {
	rows, err := pool.Query(ctx, probeSQL)
	if err != nil {
		return fmt.Errorf("look at the tables: %w", err)
	}
	problems, err := pgx.CollectRows(rows, pgx.RowTo[string])
	switch {
	case err != nil:
		return fmt.Errorf("look at the tables: %w", err)
	case len(problems) > 0:
		return &UnusableError{Problems: problems}
	}
	return nil
}

// Unusable says whether an error of Probe is about a database that answers.
func Unusable(err error) bool {
	var e *UnusableError
	return errors.As(err, &e)
}
