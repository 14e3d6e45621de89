-- +goose Up
-- Executions that ended a process of their project's own: they wait, the project's others go on.

SET LOCAL lock_timeout = '4s';

ALTER TABLE public.workflow_quarantine ADD COLUMN IF NOT EXISTS holds integer NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS public.workflow_quarantined_executions (
    project_id   uuid        NOT NULL REFERENCES public.workflow_quarantine (project_id) ON DELETE CASCADE,
    run_id       text        NOT NULL,
    hash         text        NOT NULL,
    execution_id text        NOT NULL DEFAULT '',
    file         text        NOT NULL DEFAULT '',
    deaths       integer     NOT NULL DEFAULT 0 CHECK (deaths >= 0),
    last_death   timestamptz NOT NULL DEFAULT now(),
    held_until   timestamptz NOT NULL DEFAULT now(),
    cause        text        NOT NULL DEFAULT '',
    words        text        NOT NULL DEFAULT '',
    PRIMARY KEY (project_id, run_id, hash)
);

-- The replicas look at once, also when somebody forgives one. No publication: see 00017.
CREATE OR REPLACE TRIGGER workflow_worker_ring_changed AFTER INSERT OR UPDATE OR DELETE ON public.workflow_quarantined_executions
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.ring('quarantine');

-- Internal: nobody's but the operator's.
-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
BEGIN
    ALTER TABLE public.workflow_quarantined_executions ENABLE ROW LEVEL SECURITY;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
        EXECUTE format('REVOKE ALL ON public.workflow_quarantined_executions FROM %I', role_name);
    END LOOP;
END
$$;
-- +goose StatementEnd

COMMENT ON COLUMN public.workflow_quarantine.holds IS 'How often the whole project waited: nobody could say which of its executions it was, or they were many.';
COMMENT ON TABLE public.workflow_quarantined_executions IS
    'Executions whose code was under way when a process of their project''s own died. They wait, each time longer, and go on at once on other code. Delete a row to forgive. Written by workflow-worker.';
COMMENT ON COLUMN public.workflow_quarantined_executions.project_id IS 'Project.';
COMMENT ON COLUMN public.workflow_quarantined_executions.run_id IS 'Temporal run id.';
COMMENT ON COLUMN public.workflow_quarantined_executions.hash IS 'Hash of the code that was under way.';
COMMENT ON COLUMN public.workflow_quarantined_executions.execution_id IS 'Temporal workflow id.';
COMMENT ON COLUMN public.workflow_quarantined_executions.file IS 'File of that code.';
COMMENT ON COLUMN public.workflow_quarantined_executions.deaths IS 'Deaths that it was there in.';
COMMENT ON COLUMN public.workflow_quarantined_executions.last_death IS 'When the last was. After a day without one it is forgotten.';
COMMENT ON COLUMN public.workflow_quarantined_executions.held_until IS 'Before then it isn''t tried.';
COMMENT ON COLUMN public.workflow_quarantined_executions.cause IS 'How the process ended.';
COMMENT ON COLUMN public.workflow_quarantined_executions.words IS 'What it said last.';
