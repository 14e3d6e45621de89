package rows

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Identifier is the statement that tells a database from others.
type Identifier string

// The same address may lead to another database from one moment to the next: one
// that was dropped and seeded anew, a restored volume, a branch copy. Its rows may
// have the ids and even the xmin of those that were dealt with, so that nothing but
// its identity tells it apart. That is read in the snapshot of the rows, since a
// pooler keeps its clients' connections while the server behind it changes.
//
// A copy of the files has the original's system identifier and database oid, and a
// volume that was restored without recovery its timeline, too; neither comes about
// without a start of the server. A mere restart then means reading everything once.
const (
	Identity Identifier = `
SELECT concat_ws('/', s.system_identifier, d.oid, c.timeline_id, extract(epoch FROM pg_postmaster_start_time()))
FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c, pg_catalog.pg_database d
WHERE d.datname = current_database()`

	// PlainIdentity is for where somebody has taken away the right to the others.
	PlainIdentity Identifier = `
SELECT concat_ws('/', d.oid, extract(epoch FROM pg_postmaster_start_time()))
FROM pg_catalog.pg_database d WHERE d.datname = current_database()`

	mayIdentifySQL = `
SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
  AND has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE')`
)

// ChooseIdentity finds out how a database can be told from others.
func ChooseIdentity(ctx context.Context, db DB) (Identifier, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	var may bool
	if err := db.QueryRow(ctx, mayIdentifySQL).Scan(&may); err != nil {
		return "", fmt.Errorf("look how to identify the database: %w", err)
	}
	if !may {
		return PlainIdentity, nil
	}
	return Identity, nil
}

// QueueIdentity asks for the database's identity.
func QueueIdentity(b *pgx.Batch, how Identifier, into *string) {
	b.Queue(string(how)).QueryRow(func(row pgx.Row) error { return row.Scan(into) })
}

// keptCodeSQL counts, for each project, what is live by the database and has its
// text there. Nobody but us writes these tables, and somebody may have emptied them.
const keptCodeSQL = `
SELECT l.project_id::text, count(*)::text
FROM public.workflow_live_code l JOIN public.workflow_code_store s ON s.project_id = l.project_id AND s.hash = l.hash
WHERE (s.packages IS NULL OR EXISTS (SELECT FROM public.workflow_package_bundles p WHERE p.hash = s.packages))
  AND (s.activities_packages IS NULL OR EXISTS (SELECT FROM public.workflow_package_bundles p WHERE p.hash = s.activities_packages))`

const byProject = `
GROUP BY 1`

// lostSQL looks for one project's live code: $2 to $4 are the kinds, ids and hashes.
const lostSQL = `
SELECT
  EXISTS (SELECT FROM unnest($2::text[], $3::text[]::uuid[], $4::text[]) AS u (kind, id, hash)
    WHERE NOT EXISTS (SELECT FROM public.workflow_live_code l
      WHERE l.project_id = $1 AND l.source_kind = u.kind AND l.source_id = u.id AND l.hash = u.hash)),
  EXISTS (SELECT FROM unnest($4::text[]) AS u (hash)
    WHERE NOT EXISTS (SELECT FROM public.workflow_code_store s WHERE s.project_id = $1 AND s.hash = u.hash
      AND (s.packages IS NULL OR EXISTS (SELECT FROM public.workflow_package_bundles p WHERE p.hash = s.packages))
      AND (s.activities_packages IS NULL OR EXISTS (SELECT FROM public.workflow_package_bundles p WHERE p.hash = s.activities_packages))))`

// FindLost looks whether the database has lost that sources are live with these hashes, or the
// code itself.
func FindLost(ctx context.Context, db DB, projectID string, kinds, ids, hashes []string) (live, code bool, err error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	if err := db.QueryRow(ctx, lostSQL, projectID, kinds, ids, hashes).Scan(&live, &code); err != nil {
		return false, false, fmt.Errorf("look for the kept code of project %s: %w", projectID, err)
	}
	return live, code, nil
}
