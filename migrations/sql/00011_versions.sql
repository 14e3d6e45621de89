-- +goose Up
-- Moving executions to other code on purpose: a workflow says whether its running
-- executions take new code, a request checks or moves them, and what was moved is
-- kept as long as an execution may ask for it. And since when which code was live.

SET LOCAL lock_timeout = '4s';

-- NULL, the default, leaves it to the code. No table is rewritten.
ALTER TABLE public.workflows
    ADD COLUMN IF NOT EXISTS versioning_behavior text
        CONSTRAINT workflow_worker_versioning_behavior CHECK (versioning_behavior IN ('pinned', 'auto_upgrade'));

ALTER TABLE public.worker_requests
    ADD COLUMN IF NOT EXISTS workflow_id           uuid,
    ADD COLUMN IF NOT EXISTS execution_workflow_id text,
    ADD COLUMN IF NOT EXISTS execution_run_id      text,
    ADD COLUMN IF NOT EXISTS target_version        text,
    ADD COLUMN IF NOT EXISTS result                jsonb;

-- Ours may ask for two things more now. A check of somebody else's keeps all that it
-- allowed and allows these beside it; an enum gets the missing labels.
-- +goose StatementBegin
DO $$
DECLARE
    ours CONSTANT text[] := ARRAY['start', 'stop', 'restart', 'migrate', 'check'];
    action_type   regtype;
    c             record;
    allows_ours   boolean;
    label         text;
BEGIN
    SELECT a.atttypid::regtype INTO action_type
    FROM pg_attribute a
    WHERE a.attrelid = 'public.worker_requests'::regclass AND a.attname = 'action';

    IF EXISTS (SELECT FROM pg_type WHERE oid = action_type AND typtype = 'e') THEN
        FOREACH label IN ARRAY ours LOOP
            EXECUTE format('ALTER TYPE %s ADD VALUE IF NOT EXISTS %L', action_type, label);
        END LOOP;
        RETURN;
    END IF;

    FOR c IN
        SELECT con.conname, pg_get_expr(con.conbin, con.conrelid) AS expression
        FROM pg_constraint con
        JOIN pg_attribute a ON a.attrelid = con.conrelid AND con.conkey = ARRAY[a.attnum]
        WHERE con.conrelid = 'public.worker_requests'::regclass
          AND con.contype = 'c' AND a.attname = 'action'
    LOOP
        EXECUTE format('SELECT bool_and(coalesce((%s), true)) FROM (SELECT s::%s AS action FROM unnest(%L::text[]) AS u (s)) AS worker_requests',
            c.expression, action_type, ours) INTO allows_ours;
        IF NOT allows_ours THEN
            EXECUTE format('ALTER TABLE public.worker_requests DROP CONSTRAINT %I', c.conname);
            EXECUTE format('ALTER TABLE public.worker_requests ADD CONSTRAINT %I CHECK ((%s) OR action::text = ANY (%L::text[]))',
                c.conname, c.expression, ours);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- Internal, as workflow_code_store is, and like it without foreign keys: executions
-- outlive rows.
CREATE SEQUENCE IF NOT EXISTS workflow_worker.workflow_execution_moves_seq;

CREATE TABLE IF NOT EXISTS public.workflow_execution_moves (
    project_id   uuid        NOT NULL,
    run_id       text        NOT NULL CHECK (run_id <> ''),
    execution_id text        NOT NULL,
    workflow_id  uuid        NOT NULL,
    from_hash    text        NOT NULL DEFAULT '',
    hash         text        NOT NULL CHECK (hash <> ''),
    request_id   uuid,
    seq          bigint      NOT NULL DEFAULT nextval('workflow_worker.workflow_execution_moves_seq'),
    moved_at     timestamptz NOT NULL DEFAULT now(),
    closed_at    timestamptz,
    checked_at   timestamptz,
    PRIMARY KEY (project_id, run_id)
);
CREATE INDEX IF NOT EXISTS idx_workflow_execution_moves_hash ON public.workflow_execution_moves (project_id, hash);
CREATE INDEX IF NOT EXISTS idx_workflow_execution_moves_request ON public.workflow_execution_moves (request_id);
CREATE INDEX IF NOT EXISTS idx_workflow_execution_moves_checked ON public.workflow_execution_moves (checked_at NULLS FIRST);

CREATE TABLE IF NOT EXISTS public.workflow_live_periods (
    id             uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id     uuid        NOT NULL,
    workflow_id    uuid        NOT NULL,
    hash           text        NOT NULL CHECK (hash <> ''),
    version        text        NOT NULL DEFAULT '',
    task_queue     text        NOT NULL,
    workflow_types text[]      NOT NULL DEFAULT '{}',
    began_at       timestamptz NOT NULL DEFAULT now(),
    ended_at       timestamptz,
    executions     bigint,
    counted_at     timestamptz
);
-- At most one is open: two replicas that go live at once write one period.
CREATE UNIQUE INDEX IF NOT EXISTS workflow_live_periods_open ON public.workflow_live_periods (project_id, workflow_id)
    WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS idx_workflow_live_periods_code ON public.workflow_live_periods (project_id, hash);
CREATE INDEX IF NOT EXISTS idx_workflow_live_periods_counted ON public.workflow_live_periods (counted_at NULLS FIRST)
    WHERE ended_at IS NOT NULL;

ALTER TABLE public.workflow_live_code ADD COLUMN IF NOT EXISTS code_id uuid;

-- Who may see and write them. A signed-in user asks for the new actions by the same
-- policy as for the others.
-- +goose StatementBegin
DO $$
DECLARE
    t         text;
    role_name text;
BEGIN
    FOREACH t IN ARRAY ARRAY['workflow_execution_moves', 'workflow_live_periods'] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', t);
        FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
            EXECUTE format('REVOKE ALL ON public.%I FROM %I', t, role_name);
        END LOOP;
    END LOOP;
    IF EXISTS (SELECT FROM pg_policy WHERE polrelid = 'public.worker_requests'::regclass AND polname = 'workflow_worker_ask') THEN
        GRANT INSERT (workflow_id, execution_workflow_id, execution_run_id, target_version) ON public.worker_requests TO authenticated;
    END IF;
END
$$;
-- +goose StatementEnd

-- What each means. A comment that somebody else wrote stays; what 00007 and 00009
-- said is said anew.
COMMENT ON TABLE public.workflow_execution_moves IS
    'Executions that were told to run other code than the one that they began on. Written by workflow-worker; don''t delete rows by hand: the execution would fall back.';
COMMENT ON COLUMN public.workflow_execution_moves.project_id IS 'Project. No foreign key: executions may outlive it.';
COMMENT ON COLUMN public.workflow_execution_moves.run_id IS 'Temporal run id.';
COMMENT ON COLUMN public.workflow_execution_moves.execution_id IS 'Temporal workflow id.';
COMMENT ON COLUMN public.workflow_execution_moves.workflow_id IS 'Row of workflows whose code it runs.';
COMMENT ON COLUMN public.workflow_execution_moves.from_hash IS 'Hash of the code that it ran when it was first told to move. Empty: unknown.';
COMMENT ON COLUMN public.workflow_execution_moves.hash IS 'Hash of the code that it runs from its next workflow task on: a row of workflow_code_store.';
COMMENT ON COLUMN public.workflow_execution_moves.request_id IS 'Row of worker_requests that asked for it.';
COMMENT ON COLUMN public.workflow_execution_moves.seq IS 'Orders the moves. Replicas say with it how far they know.';
COMMENT ON COLUMN public.workflow_execution_moves.moved_at IS 'When it was told to move.';
COMMENT ON COLUMN public.workflow_execution_moves.closed_at IS 'When the execution closed, as the service noticed. NULL: open.';
COMMENT ON COLUMN public.workflow_execution_moves.checked_at IS 'When the service last looked whether the execution is still there.';

COMMENT ON TABLE public.workflow_live_periods IS
    'When which code of a workflow was live: which executions began on it. Written by workflow-worker.';
COMMENT ON COLUMN public.workflow_live_periods.id IS 'Key.';
COMMENT ON COLUMN public.workflow_live_periods.project_id IS 'Project. No foreign key: executions may outlive it.';
COMMENT ON COLUMN public.workflow_live_periods.workflow_id IS 'Row of workflows.';
COMMENT ON COLUMN public.workflow_live_periods.hash IS 'Hash of the code: a row of workflow_code_store.';
COMMENT ON COLUMN public.workflow_live_periods.version IS 'Its version at the time.';
COMMENT ON COLUMN public.workflow_live_periods.task_queue IS 'Temporal task queue on which it was live.';
COMMENT ON COLUMN public.workflow_live_periods.workflow_types IS 'Workflow types that it served.';
COMMENT ON COLUMN public.workflow_live_periods.began_at IS 'Since when it was live.';
COMMENT ON COLUMN public.workflow_live_periods.ended_at IS 'When other code took its place. NULL: it is live.';
COMMENT ON COLUMN public.workflow_live_periods.executions IS 'Open executions that began in it, when last counted.';
COMMENT ON COLUMN public.workflow_live_periods.counted_at IS 'When they were last counted.';
COMMENT ON COLUMN public.workflow_live_code.code_id IS 'Row of workflow_compiled_code that the live text came from. NULL: unknown, or a component.';

COMMENT ON COLUMN public.worker_events.kind IS
    'started, reloaded, compile_failed, refused_by_gate (running executions would break), failed (a start or reload that didn''t work), stopped, request_done, migrated or code_removed.';
COMMENT ON COLUMN public.worker_events.details IS
    'reloaded and started: cause, milliseconds, changes (kind, id, name, from and to with version and hash). compile_failed: kind, id, name, version, file, line, column. refused_by_gate: the same, checked, and broken (workflowId, runId, event, reason). request_done: request, action, status. migrated: request, workflow, target, moved, broken. code_removed: kind, name, version, hash.';

-- +goose StatementBegin
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT v.table_name, v.column_name, v.was, v.comment
        FROM (VALUES
            ('workflows', 'versioning_behavior', '',
             'What new code means for running executions. pinned: they keep the code that they began with. auto_upgrade: they take it at their next workflow task, if it fits their histories. NULL: the code says, by setWorkflowOptions; else pinned.'),
            ('worker_requests', 'workflow_id', '', 'For migrate and check: the workflow whose executions are meant.'),
            ('worker_requests', 'execution_workflow_id', '', 'For migrate and check: Temporal''s workflow id of the one execution that is meant. NULL: all open ones.'),
            ('worker_requests', 'execution_run_id', '', 'Temporal''s run id beside execution_workflow_id. NULL: the newest run.'),
            ('worker_requests', 'target_version', '', 'For migrate and check: version, or hash, of the code to go on with; it needn''t be active. NULL: the code that is live.'),
            ('worker_requests', 'result', '', 'For migrate and check, once it was checked: target, checked, fits or moved, broken (workflowId, runId, event, reason), truncated.'),
            ('worker_requests', 'action',
             'start, stop or restart. The newest request of a project also says whether it should run: after stop it stays stopped until start or restart.',
             'start, stop or restart; the newest of these also says whether the project should run: after stop it stays stopped until start or restart. check: would running executions go on with other code? migrate: those that would, shall.'),
            ('worker_requests', 'error', 'Why it failed.', 'Why it failed; of a migrate request, also what it could not move.')
        ) AS v (table_name, column_name, was, comment)
    LOOP
        IF EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = format('public.%I', c.table_name)::regclass AND a.attname = c.column_name AND NOT a.attisdropped
                     AND coalesce(col_description(a.attrelid, a.attnum), '') IN ('', c.was)) THEN
            EXECUTE format('COMMENT ON COLUMN public.%I.%I IS %L', c.table_name, c.column_name, c.comment);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd
