package rows

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/runtime"
)

// livePeriod is what QueuePeriods writes of one workflow.
type livePeriod struct {
	Workflow string    `json:"workflow"` // workflows.id
	Hash     string    `json:"hash"`
	Version  string    `json:"version"`
	Types    []string  `json:"types"`
	Began    time.Time `json:"began"`
}

// QueuePeriods makes workflow_live_periods say which code is live now: what isn't
// any more has ended, what is new has begun. Who began in which period is how
// the executions of each code are counted, see Census.
func QueuePeriods(b *pgx.Batch, projectID, taskQueue string, rep runtime.Report) error {
	live := []livePeriod{}
	for _, s := range rep.Sources {
		if s.Kind == runtime.KindWorkflow && s.Hash != "" {
			live = append(live, livePeriod{s.ID, s.Hash, s.Version, append([]string{}, s.Types...), s.Since})
		}
	}
	text, err := json.Marshal(live)
	if err != nil {
		return fmt.Errorf("encode what is live: %w", err)
	}
	b.Queue(`
UPDATE public.workflow_live_periods p SET ended_at = coalesce(
  (SELECT greatest(p.began_at, least(n.began, now())) FROM jsonb_to_recordset($2::jsonb) AS n (workflow uuid, hash text, began timestamptz)
   WHERE n.workflow = p.workflow_id AND n.hash <> p.hash LIMIT 1), now())
WHERE project_id = $1 AND ended_at IS NULL AND NOT EXISTS (
  SELECT FROM jsonb_to_recordset($2::jsonb) AS n (workflow uuid, hash text)
  WHERE n.workflow = p.workflow_id AND n.hash = p.hash AND p.task_queue = $3)`, projectID, string(text), taskQueue)
	b.Queue(`
INSERT INTO public.workflow_live_periods AS p (project_id, workflow_id, hash, version, task_queue, workflow_types, began_at)
SELECT $1, n.workflow, n.hash, n.version, $3, ARRAY(SELECT jsonb_array_elements_text(n.types)),
  -- What was live before this is known began where that ended.
  greatest(n.began, (SELECT max(o.ended_at) FROM public.workflow_live_periods o WHERE o.project_id = $1 AND o.workflow_id = n.workflow))
FROM jsonb_to_recordset($2::jsonb) AS n (workflow uuid, hash text, version text, types jsonb, began timestamptz)
ON CONFLICT (project_id, workflow_id) WHERE ended_at IS NULL DO UPDATE
SET version = excluded.version, workflow_types = excluded.workflow_types
WHERE p.hash = excluded.hash AND (p.version, p.workflow_types) IS DISTINCT FROM (excluded.version, excluded.workflow_types)`,
		projectID, string(text), taskQueue)
	return nil
}
