package rows

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A fingerprint tells whether anything that a project's desired state is read
// from has changed, without reading a text. It is made of row ids and xmin,
// the transaction that wrote the row's current version: any UPDATE changes it,
// also one in place that leaves version and updated_at alone, and nothing else
// does (locks are xmax, a freeze keeps xmin). Reading it touches no TOAST:
// 64 KB bodies stay where they are, where md5(text) would fetch each of them
// every RESYNC_INTERVAL, or every 3 s while polling. It may change for nothing
// (a dump restored); then the project is read and found the same. Where the
// totals in a row were counted up, the version that it had before stands for it.
// Moves may be many: their number and the sum of what orders them will do, for
// each insert or update takes a number that none had before.
//
// The shared components are not in it: which ones count depends on the
// definitions. They are compared in Go with those that the project referred to
// when it was last read, see withShared.
const fingerprintSQL = `
SELECT p.id::text,
  md5(concat_ws('|', coalesce((SELECT v.stands_for FROM workflow_worker.counted_versions v WHERE v.row_id = p.id AND v.version = p.xmin::text), p.xmin::text),
    coalesce((SELECT string_agg(concat_ws(':', w.id, w.xmin,
        coalesce((SELECT string_agg(concat_ws('=', c.id, coalesce(v.stands_for, c.xmin::text)), ',' ORDER BY c.id)
           FROM public.workflow_compiled_code c LEFT JOIN workflow_worker.counted_versions v ON v.row_id = c.id AND v.version = c.xmin::text
           WHERE c.workflow_id = w.id AND c.is_active), '-')), ';' ORDER BY w.id)
      FROM public.workflows w WHERE w.project_id = p.id), '-'),
    coalesce((SELECT string_agg(concat_ws('=', k.id, k.xmin), ',' ORDER BY k.id)
      FROM public.components k WHERE k.project_id = p.id), '-'),
    coalesce((SELECT string_agg(concat_ws('=', r.id, r.action), ',' ORDER BY r.requested_at DESC, r.id DESC)
      FROM (SELECT id, action, requested_at FROM public.worker_requests
            WHERE project_id = p.id AND action::text IN ` + runActions + `
            ORDER BY requested_at DESC, id DESC LIMIT 16) r), '-'),
    (SELECT concat_ws('=', count(*), sum(m.seq)) FROM public.workflow_execution_moves m WHERE m.project_id = p.id AND m.closed_at IS NULL)))
FROM public.projects p`

// RequestWindow is how many of a project's newest requests are looked at for
// what they mean; the 16 above. A bound, because nobody deletes old requests.
// Others than those that say whether to run aren't in it, lest many of them
// push a stop out.
const RequestWindow = 16

const openRequestsSQL = `
SELECT ` + requestColumns + `
FROM public.worker_requests
WHERE project_id = $1 AND status IN ('pending', 'processing')
ORDER BY requested_at, id
LIMIT 100`

// Survey is a look at all projects.
type Survey struct {
	All      map[string]bool   // projects that there are
	Projects map[string]string // fingerprint by project, of those that were picked
	shared   map[string]string // xmin by shared component
	Open     []string          // projects, known or not, with open requests
	Kept     map[string]string // how many live texts there are, by project
	Identity string            // of the database
}

// ReadSurvey looks at all projects in one snapshot. Measured with 1,000
// projects of three workflows: see BenchmarkSurvey. Where pick says which of them
// count here, the others cost no more than their ids.
func ReadSurvey(ctx context.Context, db DB, how Identifier, pick func(all []string) []string) (*Survey, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	s := &Survey{All: map[string]bool{}, Projects: map[string]string{}, shared: map[string]string{}, Kept: map[string]string{}}
	err := pgx.BeginTxFunc(ctx, db, SnapshotOptions, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		QueueIdentity(b, how, &s.Identity)
		if pick == nil {
			b.Queue(fingerprintSQL).Query(intoMap(s.Projects))
			b.Queue(keptCodeSQL + byProject).Query(intoMap(s.Kept))
		} else {
			ids, err := tx.Query(ctx, `SELECT id::text FROM public.projects`)
			if err != nil {
				return err
			}
			all, err := pgx.CollectRows(ids, pgx.RowTo[string])
			if err != nil {
				return err
			}
			for _, id := range all {
				s.All[id] = true
			}
			picked := pick(all)
			b.Queue(fingerprintSQL+` WHERE p.id = ANY($1::text[]::uuid[])`, picked).Query(intoMap(s.Projects))
			b.Queue(keptCodeSQL+` AND l.project_id = ANY($1::text[]::uuid[])`+byProject, picked).Query(intoMap(s.Kept))
		}
		b.Queue(`SELECT id::text, xmin::text FROM public.components WHERE project_id IS NULL`).Query(intoMap(s.shared))
		b.Queue(`SELECT DISTINCT project_id::text FROM public.worker_requests WHERE status IN ('pending', 'processing')`).
			Query(func(rows pgx.Rows) (err error) {
				s.Open, err = pgx.CollectRows(rows, pgx.RowTo[string])
				return err
			})
		return tx.SendBatch(ctx, b).Close()
	})
	if pick == nil {
		for id := range s.Projects {
			s.All[id] = true
		}
	}
	return s, err
}

// Fingerprint is the survey's answer for one project, given the shared
// components that it refers to.
func (s *Survey) Fingerprint(id string, refs []string) string {
	own, ok := s.Projects[id]
	if !ok {
		return noProject
	}
	return withShared(own, s.shared, refs)
}

// noProject is the fingerprint of a project without a row.
const noProject = "no such project"

// withShared adds to a project's own fingerprint the shared components among
// refs, which is sorted.
func withShared(own string, shared map[string]string, refs []string) string {
	if len(refs) == 0 || own == noProject {
		return own
	}
	d := NewDigest()
	for _, id := range refs {
		if xmin, ok := shared[id]; ok {
			d.Add(id, xmin)
		}
	}
	return own + "|" + d.Sum()
}

// Glance is what a pass reads first.
type Glance struct {
	own         string // the fingerprint without shared components
	Fingerprint string
	Identity    string // of the database
	Open        []Request
	At          time.Time // the database's clock
}

// QueueGlance asks for one project's fingerprint and open requests. Once the
// batch has been sent, the function that it returns gives the answer.
func QueueGlance(b *pgx.Batch, how Identifier, id string, refs []string) (answer func() Glance) {
	var g Glance
	own, shared := map[string]string{}, map[string]string{}
	QueueIdentity(b, how, &g.Identity)
	b.Queue(fingerprintSQL+` WHERE p.id = $1`, id).Query(intoMap(own))
	b.Queue(openRequestsSQL, id).Query(func(rows pgx.Rows) (err error) {
		g.Open, err = pgx.CollectRows(rows, scanRequest)
		return err
	})
	b.Queue(`SELECT now()`).QueryRow(func(row pgx.Row) error { return row.Scan(&g.At) })
	if len(refs) > 0 {
		b.Queue(`SELECT id::text, xmin::text FROM public.components WHERE project_id IS NULL AND id = ANY($1::text[]::uuid[])`, refs).
			Query(intoMap(shared))
	}
	return func() Glance {
		g.own = noProject
		if fp, ok := own[id]; ok {
			g.own = fp
		}
		g.Fingerprint = withShared(g.own, shared, refs)
		return g
	}
}

// intoMap collects rows of two texts.
func intoMap(m map[string]string) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var k, v string
		_, err := pgx.ForEachRow(rows, []any{&k, &v}, func() error {
			m[k] = v
			return nil
		})
		return err
	}
}

func SortedUnique(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

// SnapshotBegin makes all statements of a transaction see one snapshot. The tables are locked before
// it is taken: a migration that writes one of them anew (another type of a column, a column whose
// default is made for each row) leaves it without a row for every older snapshot, also for that of a
// first statement that waits for the migration. Projects would seem deleted, requests never made.
var SnapshotBegin = []string{
	`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`,
	`LOCK TABLE public.projects, public.workflows, public.workflow_compiled_code, public.components, public.worker_requests,
	public.workflow_execution_moves, public.workflow_live_code, public.workflow_code_store IN ACCESS SHARE MODE`,
}

// SnapshotOptions begin a transaction in the same way.
var SnapshotOptions = pgx.TxOptions{BeginQuery: strings.Join(SnapshotBegin, "; ")}
