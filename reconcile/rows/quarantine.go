package rows

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime"
)

// Quarantine is workflow_quarantine and workflow_quarantined_executions: what is known of code that was
// under way when processes died. It implements cell.Quarantine.
type Quarantine struct {
	DB DB
	// Replica names this process. It is set before any death.
	Replica string
}

// A moment is read as its age in microseconds: this process's clock isn't the database's.
const suspicionSQL = `
SELECT project_id::text, code, deaths, deaths_alone, holds, (extract(epoch FROM now() - last_death) * 1000000)::bigint,
  (extract(epoch FROM held_until - now()) * 1000000)::bigint, file, hash, execution_id, run_id, cause, words
FROM public.workflow_quarantine`

func scanSuspicion(row pgx.CollectableRow) (s runtime.Suspicion, err error) {
	var age int64
	var hold *int64
	err = row.Scan(&s.ProjectID, &s.Code, &s.Deaths, &s.Alone, &s.Holds, &age, &hold, &s.Entry.File, &s.Entry.Hash, &s.Entry.WorkflowID, &s.Entry.RunID, &s.Cause, &s.Words)
	now := time.Now()
	s.Entry.ProjectID, s.Last = s.ProjectID, now.Add(-time.Duration(age)*time.Microsecond)
	if hold != nil {
		s.Until = now.Add(time.Duration(*hold) * time.Microsecond)
	}
	return s, err
}

const suspectsSQL = `
SELECT project_id::text, run_id, hash, execution_id, file, deaths, (extract(epoch FROM now() - last_death) * 1000000)::bigint,
  (extract(epoch FROM held_until - now()) * 1000000)::bigint, cause, words
FROM public.workflow_quarantined_executions`

func scanSuspect(row pgx.CollectableRow) (x runtime.Suspect, err error) {
	var age, hold int64
	err = row.Scan(&x.Entry.ProjectID, &x.Entry.RunID, &x.Entry.Hash, &x.Entry.WorkflowID, &x.Entry.File, &x.Deaths, &age, &hold, &x.Cause, &x.Words)
	now := time.Now()
	x.Last, x.Until = now.Add(-time.Duration(age)*time.Microsecond), now.Add(time.Duration(hold)*time.Microsecond)
	return x, err
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// suspicions reads those that where says, with their executions.
func suspicions(ctx context.Context, db querier, where, lock string, args ...any) ([]runtime.Suspicion, error) {
	found, err := db.Query(ctx, suspicionSQL+where+lock, args...)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(found, scanSuspicion)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	if found, err = db.Query(ctx, suspectsSQL+where+` ORDER BY project_id, last_death, run_id, hash`, args...); err != nil {
		return nil, err
	}
	executions, err := pgx.CollectRows(found, scanSuspect)
	if err != nil {
		return nil, err
	}
	for i := range list {
		for _, x := range executions {
			if x.Entry.ProjectID == list[i].ProjectID {
				list[i].Executions = append(list[i].Executions, x)
			}
		}
	}
	return list, nil
}

// Read implements cell.Quarantine.
func (q *Quarantine) Read(ctx context.Context) ([]runtime.Suspicion, error) {
	ctx, cancel := q.DB.Within(ctx)
	defer cancel()
	list, err := suspicions(ctx, q.DB, "", "")
	if err != nil {
		return nil, fmt.Errorf("read which projects are in quarantine: %w", err)
	}
	return list, nil
}

// Note implements cell.Quarantine.
func (q *Quarantine) Note(ctx context.Context, death runtime.Suspicion, r runtime.QuarantineRules) (noted runtime.Suspicion, err error) {
	ctx, cancel := q.DB.Within(ctx)
	defer cancel()
	err = pgx.BeginTxFunc(ctx, q.DB, pgx.TxOptions{}, func(tx pgx.Tx) error {
		noted, err = q.note(ctx, tx, death, r)
		return err
	})
	if err != nil {
		return death, fmt.Errorf("note whose code ended a process: %w", err)
	}
	return noted, nil
}

func (q *Quarantine) note(ctx context.Context, tx pgx.Tx, death runtime.Suspicion, r runtime.QuarantineRules) (runtime.Suspicion, error) {
	made, err := tx.Exec(ctx, `INSERT INTO public.workflow_quarantine (project_id) SELECT id FROM public.projects WHERE id = $1::text::uuid
ON CONFLICT (project_id) DO NOTHING`, death.ProjectID)
	if err != nil {
		return death, err
	}
	found, err := suspicions(ctx, tx, ` WHERE project_id = $1::text::uuid`, ` FOR UPDATE`, death.ProjectID)
	if err != nil || len(found) == 0 { // the project is gone
		return death, err
	}
	was := found[0]
	if made.RowsAffected() > 0 {
		was = runtime.Suspicion{}
	}
	now := plainSuspicion(r.After(was, death))
	now.Unsaved = false
	b := &pgx.Batch{}
	b.Queue(`
UPDATE public.workflow_quarantine SET code = $2, deaths = $3, deaths_alone = $4, holds = $5, last_death = now() - $6 * interval '1 microsecond',
  since = CASE WHEN $15 THEN now() - $6 * interval '1 microsecond' ELSE since END, held_until = now() + $7 * interval '1 microsecond',
  file = $8, hash = $9, execution_id = $10, run_id = $11, cause = $12, words = $13, replica = $14
WHERE project_id = $1::text::uuid`, now.ProjectID, now.Code, now.Deaths, now.Alone, now.Holds, age(now.Last), left(now.Until),
		now.Entry.File, now.Entry.Hash, now.Entry.WorkflowID, now.Entry.RunID, now.Cause, now.Words, q.Replica,
		now.Deaths == death.Deaths && now.Alone == death.Alone)
	runs, hashes := make([]string, 0, len(now.Executions)), make([]string, 0, len(now.Executions))
	for _, x := range now.Executions {
		runs, hashes = append(runs, x.Entry.RunID), append(hashes, x.Entry.Hash)
		b.Queue(`
INSERT INTO public.workflow_quarantined_executions AS q (project_id, run_id, hash, execution_id, file, deaths, last_death, held_until, cause, words)
VALUES ($1::text::uuid, $2, $3, $4, $5, $6, now() - $7 * interval '1 microsecond', now() + $8 * interval '1 microsecond', $9, $10)
ON CONFLICT (project_id, run_id, hash) DO UPDATE SET deaths = excluded.deaths, last_death = excluded.last_death,
  held_until = excluded.held_until, cause = excluded.cause, words = excluded.words WHERE q.deaths <> excluded.deaths`,
			now.ProjectID, x.Entry.RunID, x.Entry.Hash, x.Entry.WorkflowID, x.Entry.File, x.Deaths, age(x.Last), left(x.Until), x.Cause, x.Words)
	}
	b.Queue(`
DELETE FROM public.workflow_quarantined_executions WHERE project_id = $1::text::uuid
  AND (run_id, hash) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))`, now.ProjectID, runs, hashes)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return death, err
	}
	return now, nil
}

// plainSuspicion is one as rows can hold it.
func plainSuspicion(s runtime.Suspicion) runtime.Suspicion {
	s.Entry, s.Cause, s.Words = plainEntry(s.Entry), plain(s.Cause), plain(s.Words)
	s.Executions = slices.Clone(s.Executions)
	for i, x := range s.Executions {
		x.Entry, x.Cause, x.Words = plainEntry(x.Entry), plain(x.Cause), plain(x.Words)
		s.Executions[i] = x
	}
	return s
}

func plainEntry(e runtime.Entry) runtime.Entry {
	e.Hash, e.File, e.WorkflowID, e.RunID = plain(e.Hash), plain(e.File), plain(e.WorkflowID), plain(e.RunID)
	return e
}

// age is how long ago something was, in microseconds; left how long it is till then, nil for never.
func age(at time.Time) int64 { return time.Since(at).Microseconds() }

func left(until time.Time) *int64 {
	if until.IsZero() {
		return nil
	}
	d := time.Until(until).Microseconds()
	return &d
}

// Forgive implements cell.Quarantine.
func (q *Quarantine) Forgive(ctx context.Context, projectID, code string) error {
	ctx, cancel := q.DB.Within(ctx)
	defer cancel()
	b := &pgx.Batch{}
	b.Queue(`DELETE FROM public.workflow_quarantine q WHERE project_id = $1::text::uuid AND code = $2
  AND NOT EXISTS (SELECT FROM public.workflow_quarantined_executions x WHERE x.project_id = q.project_id)`, projectID, code)
	b.Queue(`UPDATE public.workflow_quarantine SET code = '', deaths = 0, deaths_alone = 0, holds = 0, held_until = NULL
WHERE project_id = $1::text::uuid AND code = $2`, projectID, code)
	if err := q.DB.SendBatch(ctx, b); err != nil {
		return fmt.Errorf("forgive a project: %w", err)
	}
	return nil
}
