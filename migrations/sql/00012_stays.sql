-- +goose Up
-- Which executions keep their code although they were to go on with other code, and
-- what stored code was compiled with.

SET LOCAL lock_timeout = '4s';

-- Internal, as workflow_execution_moves is, and like it without foreign keys:
-- executions outlive rows.
CREATE TABLE IF NOT EXISTS public.workflow_execution_stays (
    project_id   uuid        NOT NULL,
    run_id       text        NOT NULL CHECK (run_id <> ''),
    execution_id text        NOT NULL,
    workflow_id  uuid        NOT NULL,
    from_hash    text        NOT NULL,
    hash         text        NOT NULL CHECK (hash <> ''),
    event_id     bigint,
    reason       text        NOT NULL,
    noted_at     timestamptz NOT NULL DEFAULT now(),
    checked_at   timestamptz,
    PRIMARY KEY (project_id, run_id)
);
CREATE INDEX IF NOT EXISTS idx_workflow_execution_stays_code ON public.workflow_execution_stays (project_id, workflow_id, hash);
CREATE INDEX IF NOT EXISTS idx_workflow_execution_stays_checked ON public.workflow_execution_stays (checked_at NULLS FIRST);

-- NULL: stored before this was written down. The first settings, which are in the
-- hash, were the only ones then.
ALTER TABLE public.workflow_code_store
    ADD COLUMN IF NOT EXISTS compiler_settings text,
    ADD COLUMN IF NOT EXISTS sdk_version       text;

-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
BEGIN
    ALTER TABLE public.workflow_execution_stays ENABLE ROW LEVEL SECURITY;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
        EXECUTE format('REVOKE ALL ON public.workflow_execution_stays FROM %I', role_name);
    END LOOP;
END
$$;
-- +goose StatementEnd

COMMENT ON TABLE public.workflow_execution_stays IS
    'Executions that were to go on with other code and keep theirs, because their history doesn''t fit: at most 1,000 of a workflow. Written by workflow-worker.';
COMMENT ON COLUMN public.workflow_execution_stays.project_id IS 'Project. No foreign key: executions may outlive it.';
COMMENT ON COLUMN public.workflow_execution_stays.run_id IS 'Temporal run id.';
COMMENT ON COLUMN public.workflow_execution_stays.execution_id IS 'Temporal workflow id.';
COMMENT ON COLUMN public.workflow_execution_stays.workflow_id IS 'Row of workflows whose code it runs.';
COMMENT ON COLUMN public.workflow_execution_stays.from_hash IS 'Hash of the code that it keeps.';
COMMENT ON COLUMN public.workflow_execution_stays.hash IS 'Hash of the code that it was to go on with.';
COMMENT ON COLUMN public.workflow_execution_stays.event_id IS 'Event at which its history and that code part. NULL: unknown.';
COMMENT ON COLUMN public.workflow_execution_stays.reason IS 'Why it doesn''t fit, for people.';
COMMENT ON COLUMN public.workflow_execution_stays.noted_at IS 'When that was found out.';
COMMENT ON COLUMN public.workflow_execution_stays.checked_at IS 'When the service last looked whether the execution is still open.';
COMMENT ON COLUMN public.workflow_code_store.compiler_settings IS
    'Version of the compiler''s settings that the text was compiled with, and is for every replay. NULL: stored before this was written down, with version 1.';
COMMENT ON COLUMN public.workflow_code_store.sdk_version IS
    'Version of Temporal''s TypeScript SDK in the service that stored the text. For people: each execution names its own in its history. NULL: stored before this was written down.';

-- What 00011 said, and the new kind. A comment that somebody else wrote stays.
-- +goose StatementBegin
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT v.column_name, v.was, v.comment
        FROM (VALUES
            ('kind',
             'started, reloaded, compile_failed, refused_by_gate (running executions would break), failed (a start or reload that didn''t work), stopped, request_done, migrated or code_removed.',
             'started, reloaded, compile_failed, refused_by_gate (running executions would break), stayed (running executions keep their code, which the new one doesn''t fit), failed (a start or reload that didn''t work), stopped, request_done, migrated or code_removed.'),
            ('details',
             'reloaded and started: cause, milliseconds, changes (kind, id, name, from and to with version and hash). compile_failed: kind, id, name, version, file, line, column. refused_by_gate: the same, checked, and broken (workflowId, runId, event, reason). request_done: request, action, status. migrated: request, workflow, target, moved, broken. code_removed: kind, name, version, hash.',
             'reloaded and started: cause, milliseconds, changes (kind, id, name, from and to with version and hash). compile_failed: kind, id, name, version, file, line, column. refused_by_gate: the same, checked, and broken (workflowId, runId, event, reason). stayed: workflow, target, executions, example (workflowId, runId, event, reason). request_done: request, action, status. migrated: request, workflow, target, moved, broken. code_removed: kind, name, version, hash.')
        ) AS v (column_name, was, comment)
    LOOP
        IF EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = 'public.worker_events'::regclass AND a.attname = c.column_name
                     AND coalesce(col_description(a.attrelid, a.attnum), '') IN ('', c.was)) THEN
            EXECUTE format('COMMENT ON COLUMN public.worker_events.%I IS %L', c.column_name, c.comment);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd
