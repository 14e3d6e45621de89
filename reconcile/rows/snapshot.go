package rows

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime"
)

// Snapshot is one project as its rows were at one moment.
type Snapshot struct {
	Desired
	Project     runtime.Project // with the texts
	Refs        []string        // component ids that the definitions name, sorted
	Fingerprint string
	Identity    string    // of the database
	open        []Request // not yet completed or failed, oldest first
	At          time.Time // the database's clock
	Window      []Request // the newest requests that say whether to run, newest first
	LastLive    map[Ref]LiveFact
	LastMove    int64 // see record.lastMove
}

// Who writes rows may write any length, and all of it would be in this process's memory, and in what it
// says: of a text comes one character more than the compiler takes (compile.Config.MaxSourceBytes), which
// then says so, of a name as much as Temporal takes of a type's.
const (
	mostText = "1048577"
	mostName = "1000"
)

const projectSQL = `
SELECT left(p.name, ` + mostName + `), p.task_queue_name, coalesce(p.is_active, true), coalesce(p.isolation::text, '') = 'project'
FROM public.projects p WHERE p.id = $1`

// A workflow's current code is its active row; of several, the one compiled
// last, and of those compiled at once the one with the greatest id: arbitrary,
// but the same in every replica. Where two workflows have one kebab name (the
// Workflow Builder's own tables allow that), the one compiled last comes first,
// which gives it the name. A workflow's last good text comes along if $2 says
// so and it is another one, or was compiled with npm packages: the same text
// may find others now, or none.
const workflowsSQL = `
SELECT w.id::text, left(coalesce(w.kebab_name, ''), ` + mostName + `), left(coalesce(w.display_name, ''), ` + mostName + `), coalesce(w.is_active, true),
       coalesce(w.versioning_behavior::text, ''), coalesce(l.hash, ''), l.since, coalesce(l.code_id::text, ''),
       coalesce(c.id::text, ''), left(coalesce(c.version, ''), ` + mostName + `),
       left(coalesce(c.workflow_code, ''), ` + mostText + `), left(coalesce(c.activities_code, ''), ` + mostText + `),
       s.hash, s.version, s.workflow_code, s.activities_code, s.packages, s.activities_packages
FROM public.workflows w
LEFT JOIN LATERAL (
  SELECT * FROM public.workflow_compiled_code c
  WHERE c.workflow_id = w.id AND c.is_active AND coalesce(w.is_active, true)
  ORDER BY c.compiled_at DESC NULLS LAST, c.id DESC LIMIT 1) c ON true
LEFT JOIN public.workflow_live_code l
  ON $2 AND l.project_id = w.project_id AND l.source_kind = 'workflow' AND l.source_id = w.id
LEFT JOIN public.workflow_code_store s
  ON s.project_id = l.project_id AND s.hash = l.hash
  AND (s.workflow_code IS DISTINCT FROM c.workflow_code
    OR coalesce(s.activities_code, '') IS DISTINCT FROM coalesce(c.activities_code, '')
    OR s.packages IS NOT NULL OR s.activities_packages IS NOT NULL)
WHERE w.project_id = $1
ORDER BY w.kebab_name, c.compiled_at DESC NULLS LAST, w.id`

// The ids that the definitions of a project's active workflows name. What is
// not a uuid names no component.
const componentRefsSQL = `
SELECT DISTINCT lower(v #>> '{}')
FROM public.workflows w, LATERAL (
  SELECT jsonb_path_query(w.definition, '$.nodes[*].data.componentId')
  UNION ALL
  SELECT jsonb_path_query(w.definition, '$.graph.nodes[*].data.componentId')) AS x(v)
WHERE w.project_id = $1 AND coalesce(w.is_active, true) AND jsonb_typeof(v) = 'string'
  AND v #>> '{}' ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'`

// The project's own components come before shared ones. Those without text (the
// UI lists built-in activities as components) come only for their xmin.
const componentsSQL = `
WITH refs AS MATERIALIZED (` + componentRefsSQL + `)
SELECT k.id::text, k.xmin::text, k.project_id IS NULL, coalesce(k.is_active, true), left(coalesce(k.name, ''), ` + mostName + `),
       left(coalesce(k.implementation_language, ''), ` + mostName + `),
       CASE WHEN coalesce(k.is_active, true) THEN left(coalesce(k.implementation_code, ''), ` + mostText + `) ELSE '' END,
       coalesce(l.hash, ''), s.hash, s.version, s.workflow_code, s.packages
FROM public.components k
LEFT JOIN public.workflow_live_code l
  ON $2 AND l.project_id = $1 AND l.source_kind = 'component' AND l.source_id = k.id
LEFT JOIN public.workflow_code_store s
  ON s.project_id = l.project_id AND s.hash = l.hash
  AND (s.workflow_code IS DISTINCT FROM k.implementation_code OR s.packages IS NOT NULL)
WHERE k.project_id = $1 OR (k.project_id IS NULL AND k.id IN (SELECT r::uuid FROM refs AS refs(r)))
ORDER BY k.project_id IS NULL, k.name, k.id`

var requestWindowSQL = `
SELECT ` + requestColumns + `
FROM public.worker_requests WHERE project_id = $1 AND action::text IN ` + runActions + `
ORDER BY requested_at DESC, id DESC LIMIT ` + strconv.Itoa(RequestWindow)

// Executions that have closed need no telling; how far the moves go, they count for.
const movesSQL = `
SELECT execution_id, run_id, hash, closed_at IS NOT NULL, seq
FROM public.workflow_execution_moves WHERE project_id = $1 ORDER BY seq`

// QueueSnapshot asks what a project should be. Once the batch has been sent, the
// function that it returns gives the answer, given the glance from the same
// snapshot. The last good texts come along if lastGood is set.
func QueueSnapshot(b *pgx.Batch, id string, lastGood bool) (answer func(g Glance) *Snapshot) {
	s := &Snapshot{LastLive: map[Ref]LiveFact{}}
	shared := map[string]string{}
	b.Queue(projectSQL, id).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&s.Name, &s.TaskQueue, &s.Active, &s.Isolated}, func() error {
			s.Exists = true
			return nil
		})
		return err
	})
	b.Queue(requestWindowSQL, id).Query(func(rows pgx.Rows) (err error) {
		s.Window, err = pgx.CollectRows(rows, scanRequest)
		return err
	})
	b.Queue(workflowsSQL, id, lastGood).Query(s.scanWorkflows)
	b.Queue(movesSQL, id).Query(s.scanMoves)
	b.Queue(componentRefsSQL, id).Query(func(rows pgx.Rows) (err error) {
		s.Refs, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	b.Queue(componentsSQL, id, lastGood).Query(func(rows pgx.Rows) error { return s.scanComponents(rows, shared) })
	return func(g Glance) *Snapshot {
		s.open, s.At, s.Identity = g.Open, g.At, g.Identity
		s.Project.ID, s.Project.AsOf = id, g.At
		s.Refs = SortedUnique(s.Refs)
		s.Project.Name, s.Project.TaskQueue, s.Project.Isolated = s.Name, s.TaskQueue, s.Isolated
		s.readRequests()
		s.Fingerprint = withShared(g.own, shared, s.Refs) // g was read with the former refs
		return s
	}
}

func (s *Snapshot) scanWorkflows(rows pgx.Rows) error {
	var (
		w                           runtime.Workflow
		active                      bool
		behavior                    string
		last                        LiveFact
		since                       *time.Time
		hash, version, code, acCode *string
		packages, acPackages        *string
	)
	_, err := pgx.ForEachRow(rows, []any{&w.ID, &w.KebabName, &w.DisplayName, &active, &behavior, &last.Hash, &since, &last.CodeID,
		&w.CodeID, &w.Version, &w.Code, &w.ActivitiesCode, &hash, &version, &code, &acCode, &packages, &acPackages}, func() error {
		if !active {
			if s.SwitchedOff == nil {
				s.SwitchedOff = map[Ref]bool{}
			}
			s.SwitchedOff[Ref{runtime.KindWorkflow, w.ID}] = true
			return nil
		}
		if w.CodeID == "" {
			return nil
		}
		if last.Hash != "" && since != nil {
			last.Since = *since
			s.LastLive[Ref{runtime.KindWorkflow, w.ID}] = last
		}
		w.VersioningBehavior, w.LiveHash = knownBehavior(behavior), last.Hash
		w.LastGood = stored(hash, version, code, acCode, packages, acPackages)
		s.Project.Workflows = append(s.Project.Workflows, w)
		s.Sources = append(s.Sources, workflowSource(w))
		return nil
	})
	return err
}

// knownBehavior reads workflows.versioning_behavior. Where the column is
// somebody else's, what isn't known means what NULL does.
func knownBehavior(s string) string {
	if s == runtime.Pinned || s == runtime.AutoUpgrade {
		return s
	}
	return ""
}

func (s *Snapshot) scanMoves(rows pgx.Rows) error {
	var m runtime.Move
	var closed bool
	var seq int64
	_, err := pgx.ForEachRow(rows, []any{&m.WorkflowID, &m.RunID, &m.Hash, &closed, &seq}, func() error {
		s.LastMove = max(s.LastMove, seq)
		if !closed {
			s.Project.Moves = append(s.Project.Moves, m)
		}
		return nil
	})
	s.Moves = s.Project.Moves
	return err
}

func (s *Snapshot) scanComponents(rows pgx.Rows, shared map[string]string) error {
	var (
		c                             runtime.Component
		xmin                          string
		active                        bool
		hash, version, code, packages *string
	)
	_, err := pgx.ForEachRow(rows, []any{&c.ID, &xmin, &c.Shared, &active, &c.Name, &c.Language, &c.Code,
		&c.LiveHash, &hash, &version, &code, &packages}, func() error {
		if c.Shared {
			shared[c.ID] = xmin
		}
		if !active || strings.TrimSpace(c.Code) == "" {
			return nil
		}
		c.LastGood = stored(hash, version, code, nil, packages, nil)
		s.Project.Components = append(s.Project.Components, c)
		s.Sources = append(s.Sources, componentSource(c))
		return nil
	})
	return err
}

// readRequests takes from the window what it says about the desired state.
func (s *Snapshot) readRequests() {
	for _, q := range s.Window {
		if s.Newest.ID == "" {
			s.Newest = q
		}
		if q.Action == ActionRestart {
			s.Restart = q.Mark
			break
		}
	}
}

func workflowSource(w runtime.Workflow) Source {
	return Source{
		Ref:     Ref{runtime.KindWorkflow, w.ID},
		Name:    w.KebabName,
		Version: w.Version,
		Digest:  DigestOf(w.CodeID, w.KebabName, w.DisplayName, w.Version, w.Code, w.ActivitiesCode, w.VersioningBehavior),
	}
}

func componentSource(c runtime.Component) Source {
	return Source{
		Ref:    Ref{runtime.KindComponent, c.ID},
		Name:   c.Name,
		Digest: DigestOf(c.Name, c.Language, c.Code, fmt.Sprint(c.Shared)),
	}
}

func stored(hash, version, code, activitiesCode, packages, activitiesPackages *string) *runtime.StoredCode {
	if hash == nil {
		return nil
	}
	return &runtime.StoredCode{Hash: *hash, Version: deref(version), Code: deref(code), ActivitiesCode: deref(activitiesCode),
		Packages: deref(packages), ActivitiesPackages: deref(activitiesPackages)}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
