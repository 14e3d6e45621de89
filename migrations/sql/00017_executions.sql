-- +goose Up
-- Executions as rows: a row that becomes pending starts one, and says from then on
-- what becomes of it. The Workflow Builder has this table in two shapes; what either
-- lacks is added, and nothing is taken away but what keeps a row from being pending.

SET LOCAL lock_timeout = '4s';

INSERT INTO workflow_worker.contract_tables (table_name, created_here)
SELECT name, to_regclass(format('public.%I', name)) IS NULL
FROM unnest(ARRAY['workflow_executions']) AS t (name)
ON CONFLICT (table_name) DO NOTHING;

-- A row above 2 kB, PostgreSQL's own threshold, keeps all values longer than a hundred
-- bytes or so beside it (TOAST): an UPDATE of what becomes of it doesn't write its input
-- again.
CREATE TABLE IF NOT EXISTS public.workflow_executions (
    id                    uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id           uuid        NOT NULL,
    temporal_workflow_id  text,
    temporal_run_id       text,
    status                text        NOT NULL DEFAULT 'pending'
                          CONSTRAINT workflow_executions_status_check
                          CHECK (status IN ('pending', 'building', 'running', 'completed', 'failed', 'cancelled', 'paused')),
    started_at            timestamptz,
    completed_at          timestamptz,
    input                 jsonb,
    output                jsonb,
    error_message         text,
    duration_ms           integer,
    activities_executed   integer              DEFAULT 0,
    created_by            uuid,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now(),
    temporal_history_json jsonb,
    history_synced_at     timestamptz,
    history_sync_status   text                 DEFAULT 'pending'
) WITH (fillfactor = 70, toast_tuple_target = 128);

ALTER TABLE public.workflow_executions
    ADD COLUMN IF NOT EXISTS temporal_workflow_id  text,
    ADD COLUMN IF NOT EXISTS temporal_run_id       text,
    ADD COLUMN IF NOT EXISTS started_at            timestamptz,
    ADD COLUMN IF NOT EXISTS completed_at          timestamptz,
    ADD COLUMN IF NOT EXISTS input                 jsonb,
    ADD COLUMN IF NOT EXISTS output                jsonb,
    ADD COLUMN IF NOT EXISTS error_message         text,
    ADD COLUMN IF NOT EXISTS duration_ms           integer,
    ADD COLUMN IF NOT EXISTS activities_executed   integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS created_by            uuid,
    ADD COLUMN IF NOT EXISTS created_at            timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at            timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS temporal_history_json jsonb,
    ADD COLUMN IF NOT EXISTS history_synced_at     timestamptz,
    ADD COLUMN IF NOT EXISTS history_sync_status   text DEFAULT 'pending',
    -- Ours: asked for,
    ADD COLUMN IF NOT EXISTS options               jsonb,
    -- told,
    ADD COLUMN IF NOT EXISTS error                 jsonb,
    ADD COLUMN IF NOT EXISTS code_version          text,
    ADD COLUMN IF NOT EXISTS code_hash             text,
    ADD COLUMN IF NOT EXISTS attempt               integer,
    ADD COLUMN IF NOT EXISTS parent_id             uuid,
    -- and internal.
    ADD COLUMN IF NOT EXISTS claimed_at            timestamptz,
    ADD COLUMN IF NOT EXISTS leased_until          timestamptz,
    ADD COLUMN IF NOT EXISTS first_run_id          text;

-- A table that is not logged can't be referred to.
-- +goose StatementBegin
DO $$
BEGIN
    IF (SELECT created_here FROM workflow_worker.contract_tables WHERE table_name = 'workflow_executions')
       AND (SELECT relpersistence FROM pg_class WHERE oid = 'public.workflows'::regclass) = 'p'
       AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'public.workflow_executions'::regclass AND contype = 'f') THEN
        ALTER TABLE public.workflow_executions ADD CONSTRAINT workflow_executions_workflow_id_fkey
            FOREIGN KEY (workflow_id) REFERENCES public.workflows (id) ON DELETE CASCADE;
    END IF;
END
$$;
-- +goose StatementEnd

-- NULL leaves both to the service's settings.
ALTER TABLE public.projects
    ADD COLUMN IF NOT EXISTS record_executions text
        CONSTRAINT workflow_worker_record_executions CHECK (record_executions IN ('rows', 'all')),
    ADD COLUMN IF NOT EXISTS execution_retention interval;

-- A row that isn't started has none of these yet.
-- +goose StatementBegin
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT attname FROM pg_attribute
        WHERE attrelid = 'public.workflow_executions'::regclass AND attnotnull AND NOT atthasdef
          AND attname IN ('temporal_workflow_id', 'temporal_run_id', 'started_at', 'input')
    LOOP
        EXECUTE format('ALTER TABLE public.workflow_executions ALTER COLUMN %I DROP NOT NULL', c.attname);
        RAISE NOTICE 'workflow_executions.% may be NULL now: a row that waits for its start has none', c.attname;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- A check that lacks a status keeps all that it allowed and allows ours beside it.
-- +goose StatementBegin
DO $$
DECLARE
    ours CONSTANT text[] := ARRAY['pending', 'building', 'running', 'completed', 'failed', 'cancelled', 'paused'];
    c           record;
    allows_ours boolean;
BEGIN
    FOR c IN
        SELECT con.conname, pg_get_expr(con.conbin, con.conrelid) AS expression, format_type(a.atttypid, a.atttypmod) AS status_type
        FROM pg_constraint con
        JOIN pg_attribute a ON a.attrelid = con.conrelid AND con.conkey = ARRAY[a.attnum]
        WHERE con.conrelid = 'public.workflow_executions'::regclass AND con.contype = 'c' AND a.attname = 'status'
    LOOP
        EXECUTE format('SELECT bool_and(coalesce((%s), true)) FROM (SELECT s::%s AS status FROM unnest(%L::text[]) AS u (s)) AS workflow_executions',
            c.expression, c.status_type, ours) INTO allows_ours;
        IF NOT allows_ours THEN
            EXECUTE format('ALTER TABLE public.workflow_executions DROP CONSTRAINT %I', c.conname);
            EXECUTE format('ALTER TABLE public.workflow_executions ADD CONSTRAINT %I CHECK ((%s) OR status::text = ANY (%L::text[])) NOT VALID',
                c.conname, c.expression, ours);
            RAISE NOTICE 'widened check "%" of workflow_executions: it lacked a status that workflow-worker writes', c.conname;
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- What else is looked through is 00032's; the trigger below notes in these what waits.
CREATE INDEX IF NOT EXISTS idx_workflow_executions_workflow_id ON public.workflow_executions (workflow_id);
CREATE TABLE IF NOT EXISTS workflow_worker.executions_due (
    execution_id uuid        PRIMARY KEY,
    reason       text        NOT NULL CHECK (reason IN ('start', 'look')),
    workflow_id  uuid        NOT NULL,
    created_at   timestamptz NOT NULL,
    leased_until timestamptz
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS executions_due_waiting ON workflow_worker.executions_due (workflow_id, created_at, execution_id)
    WHERE reason = 'start' AND leased_until IS NULL;
CREATE INDEX IF NOT EXISTS executions_due_claimed ON workflow_worker.executions_due (leased_until)
    WHERE leased_until IS NOT NULL;
CREATE INDEX IF NOT EXISTS executions_due_looks ON workflow_worker.executions_due (execution_id)
    WHERE reason = 'look';
CREATE TABLE IF NOT EXISTS workflow_worker.execution_runs (
    run_id       text NOT NULL,
    execution_id uuid NOT NULL,
    PRIMARY KEY (run_id, execution_id)
);

-- The stream's hint. No publication: whatever this table's replica identity is, an
-- UPDATE of its owner's can't fail by it, and what the service writes itself says
-- nothing. A message travels with its transaction, as a row does.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION workflow_worker.ring() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
BEGIN
    PERFORM pg_catalog.pg_logical_emit_message(true, 'workflow_worker', TG_ARGV[0]);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION workflow_worker.ring_for_executions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
DECLARE
    starts integer;
    looks  integer;
BEGIN
    WITH noted AS (
        INSERT INTO workflow_worker.executions_due (execution_id, reason, workflow_id, created_at, leased_until)
        SELECT i.id, CASE i.status::text WHEN 'pending' THEN 'start' ELSE 'look' END, i.workflow_id, coalesce(i.created_at, now()),
            CASE WHEN i.status::text = 'pending' AND i.claimed_at IS NOT NULL THEN now() END
        FROM inserted i WHERE i.first_run_id IS NULL AND i.status::text IN ('pending', 'running', 'paused')
        ON CONFLICT (execution_id) DO UPDATE SET reason = excluded.reason, leased_until = excluded.leased_until
        RETURNING reason
    )
    SELECT count(*) FILTER (WHERE reason = 'start'), count(*) FILTER (WHERE reason = 'look') INTO starts, looks FROM noted;
    IF starts > 0 THEN
        PERFORM pg_catalog.pg_logical_emit_message(true, 'workflow_worker', 'executions');
    END IF;
    IF looks > 0 THEN
        PERFORM pg_catalog.pg_logical_emit_message(true, 'workflow_worker', 'followed executions');
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION workflow_worker.ring(), workflow_worker.ring_for_executions() FROM PUBLIC;
COMMENT ON FUNCTION workflow_worker.ring() IS 'Trigger: tells the service through the change stream that there is something to do.';
COMMENT ON FUNCTION workflow_worker.ring_for_executions() IS 'Trigger: notes rows that are to be started, or followed, and tells the service, once per statement.';

CREATE OR REPLACE TRIGGER workflow_worker_ring_inserted AFTER INSERT ON public.workflow_executions
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT EXECUTE FUNCTION workflow_worker.ring_for_executions();
CREATE OR REPLACE TRIGGER workflow_worker_ring_updated AFTER UPDATE OF status ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.first_run_id IS NULL AND NEW.claimed_at IS NULL AND NEW.status = 'pending'
                       AND NEW.status IS DISTINCT FROM OLD.status)
    EXECUTE FUNCTION workflow_worker.ring('executions');
CREATE OR REPLACE TRIGGER workflow_worker_updated_at BEFORE UPDATE ON public.workflow_executions
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.touch_updated_at();

-- What each means. A comment that somebody else wrote stays.
-- +goose StatementBegin
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT * FROM (VALUES
            ('workflow_executions', NULL, 'Executions. A row that is, or becomes, pending starts one; the service writes what becomes of it.'),
            ('workflow_executions', 'id', 'Key.'),
            ('workflow_executions', 'workflow_id', 'The workflow that is executed.'),
            ('workflow_executions', 'temporal_workflow_id', 'Temporal''s workflow id. NULL in a pending row: options.workflowId, else <kebab name>-<id>.'),
            ('workflow_executions', 'temporal_run_id', 'Temporal''s run id: the newest run, through continue-as-new, retries and resets.'),
            ('workflow_executions', 'status', 'pending: to be started. building: left alone. running, paused, completed, failed or cancelled: as Temporal says.'),
            ('workflow_executions', 'started_at', 'When it was started.'),
            ('workflow_executions', 'completed_at', 'When it ended.'),
            ('workflow_executions', 'input', 'The one argument that it is started with. NULL: {}.'),
            ('workflow_executions', 'output', 'What it returned; a note of its size if that is above the service''s limit.'),
            ('workflow_executions', 'error_message', 'Why it failed: what a person should read first.'),
            ('workflow_executions', 'duration_ms', 'From its start to its end, at most 2147483647.'),
            ('workflow_executions', 'activities_executed', 'How many activities its last run scheduled.'),
            ('workflow_executions', 'created_by', 'Who asked for it.'),
            ('workflow_executions', 'created_at', 'When the row was made.'),
            ('workflow_executions', 'updated_at', 'When the row was last written.'),
            ('workflow_executions', 'temporal_history_json', 'The Workflow Builder''s. The service has no use for it.'),
            ('workflow_executions', 'history_synced_at', 'The Workflow Builder''s. The service has no use for it.'),
            ('workflow_executions', 'history_sync_status', 'The Workflow Builder''s. The service has no use for it.'),
            ('workflow_executions', 'options', 'How it is to be started: type and args (several arguments), and what the TypeScript clients start takes: workflowId, workflowIdReusePolicy, workflowIdConflictPolicy, workflowExecutionTimeout, workflowRunTimeout, workflowTaskTimeout, retry, cronSchedule, startDelay, memo, searchAttributes, priority.'),
            ('workflow_executions', 'error', 'Why it failed: type, message, stack, file, line, column, details, cause (shaped alike), activity. Of one that was ended from outside the type is Terminated or TimedOut.'),
            ('workflow_executions', 'code_version', 'Version of the code that it runs.'),
            ('workflow_executions', 'code_hash', 'Hash of the code that it runs.'),
            ('workflow_executions', 'attempt', 'Which attempt its newest run is, by its retry policy. From 1.'),
            ('workflow_executions', 'parent_id', 'Row of the execution whose child it is, where there is one.'),
            ('workflow_executions', 'claimed_at', 'Internal: when the service first set about starting it. What was claimed is never started twice.'),
            ('workflow_executions', 'leased_until', 'Internal: until when nobody else goes on with its start.'),
            ('workflow_executions', 'first_run_id', 'Internal: Temporal''s run id of the first run. It tells this execution from a later one of the same id.'),
            ('projects', 'record_executions', 'all: executions that somebody else started get rows too, children included. rows: only those that have one are followed. NULL: as RECORD_EXECUTIONS says.'),
            ('projects', 'execution_retention', 'How long after their end rows of workflow_executions are kept. NULL: as EXECUTION_RETENTION says.')
        ) AS v (table_name, column_name, comment)
    LOOP
        IF c.column_name IS NULL THEN
            IF coalesce(obj_description(('public.' || c.table_name)::regclass, 'pg_class'), '') = '' THEN
                EXECUTE format('COMMENT ON TABLE public.%I IS %L', c.table_name, c.comment);
            END IF;
        ELSIF EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = ('public.' || c.table_name)::regclass AND a.attname = c.column_name AND NOT a.attisdropped
                        AND coalesce(col_description(a.attrelid, a.attnum), '') = '') THEN
            EXECUTE format('COMMENT ON COLUMN public.%I.%I IS %L', c.table_name, c.column_name, c.comment);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd
