-- +goose Up
-- Which executions are stuck: their workflow tasks fail.

SET LOCAL lock_timeout = '4s';

-- Internal, as workflow_execution_stays is, and like it without foreign keys:
-- executions outlive rows.
CREATE TABLE IF NOT EXISTS public.workflow_execution_failures (
    project_id    uuid        NOT NULL,
    run_id        text        NOT NULL CHECK (run_id <> ''),
    execution_id  text        NOT NULL,
    workflow_type text        NOT NULL,
    workflow_id   uuid,
    hash          text        NOT NULL DEFAULT '',
    version       text        NOT NULL DEFAULT '',
    reason        text        NOT NULL,
    message       text        NOT NULL,
    file          text        NOT NULL DEFAULT '',
    line          integer     NOT NULL DEFAULT 0,
    column_number integer     NOT NULL DEFAULT 0,
    noted_at      timestamptz NOT NULL DEFAULT now(),
    checked_at    timestamptz,
    PRIMARY KEY (project_id, run_id)
);
CREATE INDEX IF NOT EXISTS idx_workflow_execution_failures_workflow ON public.workflow_execution_failures (project_id, workflow_id);
CREATE INDEX IF NOT EXISTS idx_workflow_execution_failures_checked ON public.workflow_execution_failures (checked_at NULLS FIRST);

-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
BEGIN
    ALTER TABLE public.workflow_execution_failures ENABLE ROW LEVEL SECURITY;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
        EXECUTE format('REVOKE ALL ON public.workflow_execution_failures FROM %I', role_name);
    END LOOP;
END
$$;
-- +goose StatementEnd

COMMENT ON TABLE public.workflow_execution_failures IS
    'Open executions that get no further because their workflow tasks fail: at most 1,000 of a workflow. Written by workflow-worker.';
COMMENT ON COLUMN public.workflow_execution_failures.project_id IS 'Project. No foreign key: executions may outlive it.';
COMMENT ON COLUMN public.workflow_execution_failures.run_id IS 'Temporal run id.';
COMMENT ON COLUMN public.workflow_execution_failures.execution_id IS 'Temporal workflow id.';
COMMENT ON COLUMN public.workflow_execution_failures.workflow_type IS 'Temporal workflow type.';
COMMENT ON COLUMN public.workflow_execution_failures.workflow_id IS 'Row of workflows whose code it runs. NULL: no row serves its type.';
COMMENT ON COLUMN public.workflow_execution_failures.hash IS 'Hash of the code that it runs. Empty: it got no code.';
COMMENT ON COLUMN public.workflow_execution_failures.version IS 'Version of that code, for people.';
COMMENT ON COLUMN public.workflow_execution_failures.reason IS 'Kind of failure: exception, nondeterminism, interrupted, …';
COMMENT ON COLUMN public.workflow_execution_failures.message IS 'What went wrong, for people.';
COMMENT ON COLUMN public.workflow_execution_failures.file IS 'File of the author''s line. Empty: unknown.';
COMMENT ON COLUMN public.workflow_execution_failures.line IS 'Line in the author''s text. 0: unknown.';
COMMENT ON COLUMN public.workflow_execution_failures.column_number IS 'Column in the author''s text. 0: unknown.';
COMMENT ON COLUMN public.workflow_execution_failures.noted_at IS 'When its tasks began to fail.';
COMMENT ON COLUMN public.workflow_execution_failures.checked_at IS 'When the service last asked Temporal whether they still do.';

-- What earlier files said. A comment that somebody else wrote stays.
-- +goose StatementBegin
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT v.table_name, v.column_name, v.was, v.comment
        FROM (VALUES
            ('worker_events', 'kind',
             'started, reloaded, compile_failed, refused_by_gate (running executions would break), stayed (running executions keep their code, which the new one doesn''t fit), failed (a start or reload that didn''t work), stopped, request_done, migrated or code_removed.',
             'started, reloaded, compile_failed, refused_by_gate (running executions would break), stayed (running executions keep their code, which the new one doesn''t fit), failing (running executions get no further: their workflow tasks fail), failed (a start or reload that didn''t work), stopped, request_done, migrated or code_removed.'),
            ('worker_events', 'details',
             'reloaded and started: cause, milliseconds, changes (kind, id, name, from and to with version and hash). compile_failed: kind, id, name, version, file, line, column. refused_by_gate: the same, checked, and broken (workflowId, runId, event, reason). stayed: workflow, target, executions, example (workflowId, runId, event, reason). request_done: request, action, status. migrated: request, workflow, target, moved, broken. code_removed: kind, name, version, hash.',
             'reloaded and started: cause, milliseconds, changes (kind, id, name, from and to with version and hash). compile_failed: kind, id, name, version, file, line, column. refused_by_gate: the same, checked, and broken (workflowId, runId, event, reason). stayed: workflow, target, executions, example (workflowId, runId, event, reason). failing: workflow, executions, since, example (workflowId, runId, type, version, hash, reason, message, file, line, column). request_done: request, action, status. migrated: request, workflow, target, moved, broken. code_removed: kind, name, version, hash.'),
            -- The service only reads that table: what it wrote there would come back as a change of the code.
            ('workflow_compiled_code', 'error_count',
             'Failed executions on this version. Reserved: the service doesn''t write it yet.',
             'Failed executions on this version, if the Workflow Builder counts them. The service only reads this table: which executions are stuck is in workflow_workers.metadata (workflows[].failing).')
        ) AS v (table_name, column_name, was, comment)
    LOOP
        IF EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = ('public.' || c.table_name)::regclass AND a.attname = c.column_name
                     AND coalesce(col_description(a.attrelid, a.attnum), '') IN ('', c.was)) THEN
            EXECUTE format('COMMENT ON COLUMN public.%I.%I IS %L', c.table_name, c.column_name, c.comment);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd
