-- +goose Up
-- What the service has to know of stored code to remove it when no execution can
-- need it any more.

SET LOCAL lock_timeout = '4s';

ALTER TABLE public.workflow_code_store ADD COLUMN IF NOT EXISTS superseded_at timestamptz;
ALTER TABLE public.workflow_code_store ADD COLUMN IF NOT EXISTS checked_at    timestamptz;
ALTER TABLE public.workflow_code_store ADD COLUMN IF NOT EXISTS task_queues   text[] NOT NULL DEFAULT '{}';

COMMENT ON COLUMN public.workflow_code_store.superseded_at IS
    'Since when no workflow or component of the project has it live, as the service noticed. NULL: live, or not noticed yet.';
COMMENT ON COLUMN public.workflow_code_store.checked_at IS
    'When the service last looked whether it may be removed.';
COMMENT ON COLUMN public.workflow_code_store.task_queues IS
    'Temporal task queues on which it was live: executions there may need it. Empty: unknown, so it is kept.';

-- Text that is there already was live on its project's queue, as far as we know.
UPDATE public.workflow_code_store s SET task_queues = ARRAY[p.task_queue_name]
FROM public.projects p
WHERE p.id = s.project_id AND s.task_queues = '{}';

-- The clean-up takes what waited longest.
CREATE INDEX IF NOT EXISTS idx_workflow_code_store_superseded ON public.workflow_code_store (checked_at NULLS FIRST)
    WHERE superseded_at IS NOT NULL;
