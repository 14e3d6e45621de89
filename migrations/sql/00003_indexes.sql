-- +goose Up
-- Indexes for what the service asks and for the cascades. Those that the Workflow
-- Builder has too go by its names, so that there aren't two of one kind.

SET LOCAL lock_timeout = '4s';

CREATE INDEX IF NOT EXISTS idx_workflows_project ON public.workflows (project_id);
CREATE INDEX IF NOT EXISTS idx_compiled_code_workflow ON public.workflow_compiled_code (workflow_id);
CREATE INDEX IF NOT EXISTS idx_components_project ON public.components (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_workers_project ON public.workflow_workers (project_id);
CREATE INDEX IF NOT EXISTS idx_workers_status ON public.workflow_workers (status);

-- The newest request of a project, and what is still to be done.
CREATE INDEX IF NOT EXISTS idx_worker_requests_newest ON public.worker_requests (project_id, requested_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS idx_worker_requests_open ON public.worker_requests (requested_at) WHERE status IN ('pending', 'processing');

-- Which projects run a component.
CREATE INDEX IF NOT EXISTS idx_workflow_live_code_source ON public.workflow_live_code (source_id);

-- Unique already by their first column. They exist to be replica identities
-- (00006): a DELETE then says which project it concerned.
CREATE UNIQUE INDEX IF NOT EXISTS workflows_replica_identity ON public.workflows (id, project_id);
CREATE UNIQUE INDEX IF NOT EXISTS workflow_compiled_code_replica_identity ON public.workflow_compiled_code (id, workflow_id);
