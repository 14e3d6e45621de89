package reconcile

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/logkey"
)

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
	identitySQL = `
SELECT concat_ws('/', s.system_identifier, d.oid, c.timeline_id, extract(epoch FROM pg_postmaster_start_time()))
FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c, pg_catalog.pg_database d
WHERE d.datname = current_database()`

	// plainIdentitySQL is for where somebody has taken away the right to the others.
	plainIdentitySQL = `
SELECT concat_ws('/', d.oid, extract(epoch FROM pg_postmaster_start_time()))
FROM pg_catalog.pg_database d WHERE d.datname = current_database()`

	mayIdentifySQL = `
SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
  AND has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE')`
)

// chooseIdentity finds out how a database can be told from others.
func (r *Reconciler) chooseIdentity(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	var may bool
	if err := r.cfg.Pool.QueryRow(ctx, mayIdentifySQL).Scan(&may); err != nil {
		return fmt.Errorf("look how to identify the database: %w", err)
	}
	r.identitySQL = identitySQL
	if !may {
		r.identitySQL = plainIdentitySQL
	}
	return nil
}

// queueIdentity asks for the database's identity.
func (r *Reconciler) queueIdentity(b *pgx.Batch, into *string) {
	b.Queue(r.identitySQL).QueryRow(func(row pgx.Row) error { return row.Scan(into) })
}

// keptCodeSQL counts, for each project, what is live by the database and has its
// text there. Nobody but us writes these tables, and somebody may have emptied them.
const keptCodeSQL = `
SELECT l.project_id::text, count(*)::text
FROM public.workflow_live_code l JOIN public.workflow_code_store s ON s.project_id = l.project_id AND s.hash = l.hash
WHERE (s.packages IS NULL OR EXISTS (SELECT FROM public.workflow_package_bundles p WHERE p.hash = s.packages))
  AND (s.activities_packages IS NULL OR EXISTS (SELECT FROM public.workflow_package_bundles p WHERE p.hash = s.activities_packages))
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

// findLost looks whether the database still has what the service keeps there of a
// running project, and arranges for what it lacks.
func (r *Reconciler) findLost(ctx context.Context, rec *record) error {
	var kinds, ids, hashes []string
	for _, s := range rec.report.Sources {
		if s.Hash != "" {
			kinds, ids, hashes = append(kinds, s.Kind), append(ids, s.ID), append(hashes, s.Hash)
		}
	}
	if rec.phase != running || len(hashes) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	var live, code bool
	if err := r.cfg.Pool.QueryRow(ctx, lostSQL, rec.id, kinds, ids, hashes).Scan(&live, &code); err != nil {
		return fmt.Errorf("look for the kept code of project %s: %w", rec.id, err)
	}
	rec.lost = code
	if live || code {
		rec.liveStale = true
		r.log.WarnContext(ctx, "the database has lost what the service keeps there, writing it again", logkey.Project, rec.id)
	}
	return nil
}

// moved notes that the rows are another database's than those of before.
func (rec *record) moved(s *snapshot) {
	rec.rowWritten = ""
	rec.lastMove = 0
	rec.claimed = nil
	if s.restart.at.Before(rec.restart.at) {
		rec.restart = s.restart
	}
}
