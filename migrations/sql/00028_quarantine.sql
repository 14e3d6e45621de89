-- +goose Up
-- Whose code was under way when processes died: what all replicas go by, and after a restart.

SET LOCAL lock_timeout = '4s';

CREATE TABLE IF NOT EXISTS public.workflow_quarantine (
    project_id   uuid        PRIMARY KEY REFERENCES public.projects (id) ON DELETE CASCADE,
    code         text        NOT NULL DEFAULT '',
    deaths       integer     NOT NULL DEFAULT 0 CHECK (deaths >= 0),
    deaths_alone integer     NOT NULL DEFAULT 0 CHECK (deaths_alone >= 0),
    since        timestamptz NOT NULL DEFAULT now(),
    last_death   timestamptz NOT NULL DEFAULT now(),
    held_until   timestamptz,
    file         text        NOT NULL DEFAULT '',
    hash         text        NOT NULL DEFAULT '',
    execution_id text        NOT NULL DEFAULT '',
    run_id       text        NOT NULL DEFAULT '',
    cause        text        NOT NULL DEFAULT '',
    words        text        NOT NULL DEFAULT '',
    replica      text        NOT NULL DEFAULT ''
);

-- The replicas look at once. No publication: see 00017.
CREATE OR REPLACE TRIGGER workflow_worker_ring_changed AFTER INSERT OR UPDATE OR DELETE ON public.workflow_quarantine
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.ring('quarantine');

-- Internal: nobody's but the operator's.
-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
BEGIN
    ALTER TABLE public.workflow_quarantine ENABLE ROW LEVEL SECURITY;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
        EXECUTE format('REVOKE ALL ON public.workflow_quarantine FROM %I', role_name);
    END LOOP;
END
$$;
-- +goose StatementEnd

COMMENT ON TABLE public.workflow_quarantine IS
    'Projects whose code was under way when processes died. Two deaths: a process of its own; one that dies alone waits. Delete a row to forgive. Written by workflow-worker.';
COMMENT ON COLUMN public.workflow_quarantine.project_id IS 'Project.';
COMMENT ON COLUMN public.workflow_quarantine.code IS 'Hash of all its texts that ran. Other code starts like any other.';
COMMENT ON COLUMN public.workflow_quarantine.deaths IS 'Deaths of processes that it shared with others.';
COMMENT ON COLUMN public.workflow_quarantine.deaths_alone IS 'Deaths of processes of its own.';
COMMENT ON COLUMN public.workflow_quarantine.since IS 'When the first of these was.';
COMMENT ON COLUMN public.workflow_quarantine.last_death IS 'When the last was. After an hour without one it is forgiven.';
COMMENT ON COLUMN public.workflow_quarantine.held_until IS 'Before then it isn''t started. NULL: it is.';
COMMENT ON COLUMN public.workflow_quarantine.file IS 'File whose code was under way at the last. Empty: unknown.';
COMMENT ON COLUMN public.workflow_quarantine.hash IS 'Hash of that code.';
COMMENT ON COLUMN public.workflow_quarantine.execution_id IS 'Temporal workflow id of the execution. Empty: none.';
COMMENT ON COLUMN public.workflow_quarantine.run_id IS 'Its run id.';
COMMENT ON COLUMN public.workflow_quarantine.cause IS 'How the process ended.';
COMMENT ON COLUMN public.workflow_quarantine.words IS 'What it said last.';
COMMENT ON COLUMN public.workflow_quarantine.replica IS 'Replica whose process it was.';
