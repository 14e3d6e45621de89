-- +goose Up
-- What happened to a project's code, for people: the Workflow Builder can list it,
-- and subscribe to it where the owner of the database publishes it.

SET LOCAL lock_timeout = '4s';

-- An identity column's sequence would be in "public", which PostgREST offers to the
-- world.
CREATE SEQUENCE IF NOT EXISTS workflow_worker.worker_events_id;

CREATE TABLE IF NOT EXISTS public.worker_events (
    id          bigint      PRIMARY KEY DEFAULT nextval('workflow_worker.worker_events_id'),
    project_id  uuid        NOT NULL REFERENCES public.projects (id) ON DELETE CASCADE,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    replica     text        NOT NULL,
    -- No list of kinds: a newer service may know more.
    kind        text        NOT NULL CHECK (kind <> ''),
    message     text        NOT NULL,
    details     jsonb       NOT NULL DEFAULT '{}'
);

CREATE INDEX IF NOT EXISTS idx_worker_events_newest ON public.worker_events (project_id, id DESC);

COMMENT ON TABLE public.worker_events IS
    'What happened to the code of a project, newest last: the latest 200 events of each project. Written by workflow-worker.';
COMMENT ON COLUMN public.worker_events.id IS 'Key. Orders the events of one replica.';
COMMENT ON COLUMN public.worker_events.project_id IS 'Project.';
COMMENT ON COLUMN public.worker_events.occurred_at IS 'When the event was written down, moments after it happened.';
COMMENT ON COLUMN public.worker_events.replica IS 'Replica of the service that it happened on: one reload is an event on each.';
COMMENT ON COLUMN public.worker_events.kind IS
    'started, reloaded, compile_failed, refused_by_gate (running executions would break), failed (a start or reload that didn''t work), stopped, request_done, migrated or code_removed.';
COMMENT ON COLUMN public.worker_events.message IS 'One line for people.';
COMMENT ON COLUMN public.worker_events.details IS
    'reloaded and started: cause, milliseconds, changes (kind, id, name, from and to with version and hash). compile_failed: kind, id, name, version, file, line, column. refused_by_gate: the same, checked, and broken (workflowId, runId, event, reason). request_done: request, action, status. migrated: request, workflow, target, moved, broken. code_removed: kind, name, version, hash.';

-- As the registry: row level security, and the rows of one's own projects.
-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
BEGIN
    ALTER TABLE public.worker_events ENABLE ROW LEVEL SECURITY;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
        EXECUTE format('REVOKE ALL ON public.worker_events FROM %I', role_name);
    END LOOP;
    DROP POLICY IF EXISTS workflow_worker_own ON public.worker_events;
    IF to_regprocedure('workflow_worker.own_projects()') IS NOT NULL AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        GRANT SELECT ON public.worker_events TO authenticated;
        CREATE POLICY workflow_worker_own ON public.worker_events FOR SELECT TO authenticated
            USING (project_id IN (SELECT workflow_worker.own_projects()));
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
            GRANT SELECT, DELETE ON public.worker_events TO service_role;
        END IF;
    END IF;
END
$$;
-- +goose StatementEnd
