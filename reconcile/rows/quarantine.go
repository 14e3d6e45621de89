package rows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime"
)

// Quarantine is workflow_quarantine: what is known of code that was under way when processes died.
// It implements cell.Quarantine.
type Quarantine struct {
	DB DB
	// Replica names this process. It is set before any death.
	Replica string
}

const suspicionColumns = `project_id::text, code, deaths, deaths_alone, (extract(epoch FROM now() - last_death) * 1000000)::bigint,
  (extract(epoch FROM held_until - now()) * 1000000)::bigint, file, hash, execution_id, run_id, cause, words`

// scanSuspicion reads suspicionColumns: by this process's clock, from ages by the database's.
func scanSuspicion(row pgx.CollectableRow) (s runtime.Suspicion, err error) {
	var age int64
	var hold *int64
	err = row.Scan(&s.ProjectID, &s.Code, &s.Deaths, &s.Alone, &age, &hold, &s.Entry.File, &s.Entry.Hash, &s.Entry.WorkflowID, &s.Entry.RunID, &s.Cause, &s.Words)
	now := time.Now()
	s.Entry.ProjectID, s.Last = s.ProjectID, now.Add(-time.Duration(age)*time.Microsecond)
	if hold != nil {
		s.Until = now.Add(time.Duration(*hold) * time.Microsecond)
	}
	return s, err
}

// Read implements cell.Quarantine.
func (q *Quarantine) Read(ctx context.Context) ([]runtime.Suspicion, error) {
	ctx, cancel := q.DB.Within(ctx)
	defer cancel()
	found, err := q.DB.Query(ctx, `SELECT `+suspicionColumns+` FROM public.workflow_quarantine`)
	if err != nil {
		return nil, fmt.Errorf("read which projects are in quarantine: %w", err)
	}
	list, err := pgx.CollectRows(found, scanSuspicion)
	if err != nil {
		return nil, fmt.Errorf("read which projects are in quarantine: %w", err)
	}
	return list, nil
}

// Note implements cell.Quarantine.
func (q *Quarantine) Note(ctx context.Context, death runtime.Suspicion, r runtime.QuarantineRules) (runtime.Suspicion, error) {
	ctx, cancel := q.DB.Within(ctx)
	defer cancel()
	// A death of other code, or long after one that may have been anybody's, is a first one.
	found, err := q.DB.Query(ctx, `
INSERT INTO public.workflow_quarantine AS q (project_id, code, deaths, deaths_alone, held_until, file, hash, execution_id, run_id, cause, words, replica)
SELECT p.id, $2, $3, $4, CASE WHEN $4 > 0 THEN now() + $5 * interval '1 microsecond' END, $6, $7, $8, $9, $10, $11, $12
FROM public.projects p WHERE p.id = $1::text::uuid
ON CONFLICT (project_id) DO UPDATE SET
  (code, deaths, deaths_alone, since, held_until, last_death, file, hash, execution_id, run_id, cause, words, replica) = (
    SELECT excluded.code, n.deaths + excluded.deaths, n.alone + excluded.deaths_alone, CASE WHEN n.fresh THEN now() ELSE q.since END,
      CASE WHEN excluded.deaths_alone > 0 THEN now() + least($5 * power(2, least(n.alone, 10)), $13) * interval '1 microsecond'
           WHEN n.fresh THEN NULL ELSE q.held_until END,
      now(), excluded.file, excluded.hash, excluded.execution_id, excluded.run_id, excluded.cause, excluded.words, excluded.replica
    FROM (SELECT f.fresh, CASE WHEN f.fresh THEN 0 ELSE q.deaths END AS deaths, CASE WHEN f.fresh THEN 0 ELSE q.deaths_alone END AS alone
          FROM (SELECT q.code <> excluded.code OR q.deaths < $14 AND q.deaths_alone = 0 AND q.last_death < now() - $15 * interval '1 microsecond' AS fresh) f) n)
RETURNING `+suspicionColumns,
		death.ProjectID, death.Code, death.Deaths, death.Alone, r.FirstHold.Microseconds(), plain(death.Entry.File), plain(death.Entry.Hash),
		plain(death.Entry.WorkflowID), plain(death.Entry.RunID), plain(death.Cause), plain(death.Words), q.Replica,
		r.MostHold.Microseconds(), r.Apart, r.Remembered.Microseconds())
	if err != nil {
		return death, fmt.Errorf("note whose code ended a process: %w", err)
	}
	noted, err := pgx.CollectExactlyOneRow(found, scanSuspicion)
	if errors.Is(err, pgx.ErrNoRows) {
		return death, nil // the project is gone
	}
	if err != nil {
		return death, fmt.Errorf("note whose code ended a process: %w", err)
	}
	return noted, nil
}

// Forgive implements cell.Quarantine.
func (q *Quarantine) Forgive(ctx context.Context, projectID, code string) error {
	ctx, cancel := q.DB.Within(ctx)
	defer cancel()
	if _, err := q.DB.Exec(ctx, `DELETE FROM public.workflow_quarantine WHERE project_id = $1::text::uuid AND code = $2`, projectID, code); err != nil {
		return fmt.Errorf("forgive a project: %w", err)
	}
	return nil
}
