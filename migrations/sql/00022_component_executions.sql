-- +goose Up
-- Steps as rows: one for each activity of an execution that has a row. The Workflow
-- Builder has this table; what it lacks is added, and nothing is taken away but what
-- keeps a step from being written before all of it is known.

SET LOCAL lock_timeout = '4s';

INSERT INTO workflow_worker.contract_tables (table_name, created_here)
SELECT name, to_regclass(format('public.%I', name)) IS NULL
FROM unnest(ARRAY['component_executions']) AS t (name)
ON CONFLICT (table_name) DO NOTHING;

-- No index on what a step's updates change: they are heap-only.
CREATE TABLE IF NOT EXISTS public.component_executions (
    id                    uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_execution_id uuid        NOT NULL,
    node_id               text,
    component_id          uuid,
    component_name        text,
    status                text        NOT NULL
                          CONSTRAINT component_executions_status_check
                          CHECK (status IN ('pending', 'running', 'retrying', 'completed', 'failed', 'cancelled')),
    started_at            timestamptz,
    completed_at          timestamptz,
    duration_ms           integer,
    input_data            jsonb,
    output_data           jsonb,
    error_message         text,
    error_type            text,
    retry_count           integer              DEFAULT 0,
    is_expected_retry     boolean              DEFAULT false,
    temporal_activity_id  text,
    temporal_attempt      integer              DEFAULT 1,
    created_at            timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70, toast_tuple_target = 128);

ALTER TABLE public.component_executions
    ADD COLUMN IF NOT EXISTS node_id              text,
    ADD COLUMN IF NOT EXISTS component_id         uuid,
    ADD COLUMN IF NOT EXISTS component_name       text,
    ADD COLUMN IF NOT EXISTS started_at           timestamptz,
    ADD COLUMN IF NOT EXISTS completed_at         timestamptz,
    ADD COLUMN IF NOT EXISTS duration_ms          integer,
    ADD COLUMN IF NOT EXISTS input_data           jsonb,
    ADD COLUMN IF NOT EXISTS output_data          jsonb,
    ADD COLUMN IF NOT EXISTS error_message        text,
    ADD COLUMN IF NOT EXISTS error_type           text,
    ADD COLUMN IF NOT EXISTS retry_count          integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS is_expected_retry    boolean DEFAULT false,
    ADD COLUMN IF NOT EXISTS temporal_activity_id text,
    ADD COLUMN IF NOT EXISTS temporal_attempt     integer DEFAULT 1,
    ADD COLUMN IF NOT EXISTS created_at           timestamptz NOT NULL DEFAULT now(),
    -- Ours: told,
    ADD COLUMN IF NOT EXISTS kind                 text,
    ADD COLUMN IF NOT EXISTS scheduled_at         timestamptz,
    ADD COLUMN IF NOT EXISTS next_attempt_at      timestamptz,
    ADD COLUMN IF NOT EXISTS run_id               text,
    ADD COLUMN IF NOT EXISTS updated_at           timestamptz NOT NULL DEFAULT now(),
    -- and internal.
    ADD COLUMN IF NOT EXISTS progress             integer;

-- What the service is told to record, and by which names secrets go.
ALTER TABLE public.projects
    ADD COLUMN IF NOT EXISTS record_steps text
        CONSTRAINT workflow_worker_record_steps CHECK (record_steps IN ('none', 'activities', 'all')),
    ADD COLUMN IF NOT EXISTS record_payloads boolean;
ALTER TABLE public.components
    ADD COLUMN IF NOT EXISTS config_schema jsonb;

-- +goose StatementBegin
DO $$
DECLARE
    c record;
BEGIN
    IF (SELECT created_here FROM workflow_worker.contract_tables WHERE table_name = 'component_executions')
       AND (SELECT relpersistence FROM pg_class WHERE oid = 'public.workflow_executions'::regclass) = 'p'
       AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'public.component_executions'::regclass AND contype = 'f') THEN
        ALTER TABLE public.component_executions ADD CONSTRAINT component_executions_workflow_execution_id_fkey
            FOREIGN KEY (workflow_execution_id) REFERENCES public.workflow_executions (id) ON DELETE CASCADE;
    END IF;

    -- An activity may be no node's, a step that waits has begun nowhere.
    FOR c IN
        SELECT attname FROM pg_attribute
        WHERE attrelid = 'public.component_executions'::regclass AND attnotnull AND NOT atthasdef
          AND attname IN ('node_id', 'component_id', 'component_name', 'started_at', 'input_data', 'output_data')
    LOOP
        EXECUTE format('ALTER TABLE public.component_executions ALTER COLUMN %I DROP NOT NULL', c.attname);
        RAISE NOTICE 'component_executions.% may be NULL now: not every step has one from its beginning', c.attname;
    END LOOP;

    IF NOT EXISTS (SELECT FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
                   WHERE x.indrelid = 'public.component_executions'::regclass AND x.indpred IS NULL AND a.attname = 'workflow_execution_id') THEN
        CREATE INDEX idx_component_executions_workflow_execution_id ON public.component_executions (workflow_execution_id);
    END IF;
END
$$;
-- +goose StatementEnd

-- A check that lacks a status keeps all that it allowed and allows ours beside it.
-- +goose StatementBegin
DO $$
DECLARE
    ours CONSTANT text[] := ARRAY['pending', 'running', 'retrying', 'completed', 'failed', 'cancelled'];
    c           record;
    allows_ours boolean;
BEGIN
    FOR c IN
        SELECT con.conname, pg_get_expr(con.conbin, con.conrelid) AS expression, format_type(a.atttypid, a.atttypmod) AS status_type
        FROM pg_constraint con
        JOIN pg_attribute a ON a.attrelid = con.conrelid AND con.conkey = ARRAY[a.attnum]
        WHERE con.conrelid = 'public.component_executions'::regclass AND con.contype = 'c' AND a.attname = 'status'
    LOOP
        EXECUTE format('SELECT bool_and(coalesce((%s), true)) FROM (SELECT s::%s AS status FROM unnest(%L::text[]) AS u (s)) AS component_executions',
            c.expression, c.status_type, ours) INTO allows_ours;
        IF NOT allows_ours THEN
            EXECUTE format('ALTER TABLE public.component_executions DROP CONSTRAINT %I', c.conname);
            EXECUTE format('ALTER TABLE public.component_executions ADD CONSTRAINT %I CHECK ((%s) OR status::text = ANY (%L::text[])) NOT VALID',
                c.conname, c.expression, ours);
            RAISE NOTICE 'widened check "%" of component_executions: it lacked a status that workflow-worker writes', c.conname;
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- Runs whose steps are to be looked at once more: noted in the transaction that ends
-- an execution's row, or shows another run in it, so that nothing that dies in between
-- leaves them as they were.
CREATE TABLE IF NOT EXISTS workflow_worker.steps_due (
    execution_id uuid        NOT NULL,
    run_id       text        NOT NULL,
    -- The run that the row shows now, '' if it is over with this one.
    next_run_id  text        NOT NULL,
    since        timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    counted      boolean     NOT NULL DEFAULT false, -- 00024's
    PRIMARY KEY (execution_id, run_id)
);
CREATE INDEX IF NOT EXISTS steps_due_since ON workflow_worker.steps_due (since);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION workflow_worker.note_steps_due() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.temporal_run_id IS DISTINCT FROM NEW.temporal_run_id AND OLD.temporal_run_id IS NOT NULL THEN
        INSERT INTO workflow_worker.steps_due (execution_id, run_id, next_run_id, counted)
        VALUES (NEW.id, OLD.temporal_run_id, NEW.temporal_run_id, OLD.status::text IN ('completed', 'failed', 'cancelled'))
        ON CONFLICT (execution_id, run_id) DO UPDATE SET next_run_id = EXCLUDED.next_run_id, leased_until = NULL;
    END IF;
    IF NEW.temporal_run_id IS NOT NULL AND NEW.status::text IN ('completed', 'failed', 'cancelled') THEN
        INSERT INTO workflow_worker.steps_due (execution_id, run_id, next_run_id)
        VALUES (NEW.id, NEW.temporal_run_id, '')
        ON CONFLICT (execution_id, run_id) DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION workflow_worker.note_steps_due() FROM PUBLIC;
COMMENT ON TABLE workflow_worker.steps_due IS 'Internal: runs whose rows of component_executions the service makes right once more.';
COMMENT ON COLUMN workflow_worker.steps_due.execution_id IS 'Row of workflow_executions.';
COMMENT ON COLUMN workflow_worker.steps_due.run_id IS 'The run.';
COMMENT ON COLUMN workflow_worker.steps_due.next_run_id IS 'The run that the row shows now; empty: the execution is over with this one.';
COMMENT ON COLUMN workflow_worker.steps_due.since IS 'When it was noted.';
COMMENT ON COLUMN workflow_worker.steps_due.leased_until IS 'Until when nobody else takes it up.';
COMMENT ON FUNCTION workflow_worker.note_steps_due() IS 'Trigger: notes the runs of an execution whose steps are over.';

CREATE OR REPLACE TRIGGER workflow_worker_steps_due_inserted AFTER INSERT ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.first_run_id IS NOT NULL AND NEW.status IN ('completed', 'failed', 'cancelled'))
    EXECUTE FUNCTION workflow_worker.note_steps_due();
CREATE OR REPLACE TRIGGER workflow_worker_steps_due_updated AFTER UPDATE OF status, temporal_run_id ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.first_run_id IS NOT NULL
        AND (NEW.status IN ('completed', 'failed', 'cancelled') AND NEW.status IS DISTINCT FROM OLD.status
             OR OLD.temporal_run_id IS NOT NULL AND NEW.temporal_run_id IS DISTINCT FROM OLD.temporal_run_id))
    EXECUTE FUNCTION workflow_worker.note_steps_due();

-- Who may see them: whoever may see the execution. Nobody but the service writes.
-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
    created   boolean := (SELECT created_here FROM workflow_worker.contract_tables WHERE table_name = 'component_executions');
BEGIN
    ALTER TABLE public.component_executions ENABLE ROW LEVEL SECURITY;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON public.component_executions FROM %I', role_name);
    END LOOP;
    IF created AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON public.component_executions TO service_role;
    END IF;
    IF to_regprocedure('workflow_worker.owns_execution(uuid)') IS NULL OR NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        RETURN; -- no Supabase
    END IF;
    GRANT SELECT ON public.component_executions TO authenticated;
    DROP POLICY IF EXISTS workflow_worker_own ON public.component_executions;
    CREATE POLICY workflow_worker_own ON public.component_executions FOR SELECT TO authenticated
        USING (workflow_worker.owns_execution(workflow_execution_id));
    DROP POLICY IF EXISTS workflow_worker_only_own ON public.component_executions;
    CREATE POLICY workflow_worker_only_own ON public.component_executions AS RESTRICTIVE FOR ALL TO authenticated
        USING (workflow_worker.owns_execution(workflow_execution_id));
END
$$;
-- +goose StatementEnd

-- What each means. A comment that somebody else wrote stays.
-- +goose StatementBegin
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT * FROM (VALUES
            ('component_executions', NULL, 'Steps of executions, one row each: activities, and where all are recorded, timers and children. The service writes them.'),
            ('component_executions', 'id', 'Key.'),
            ('component_executions', 'workflow_execution_id', 'The execution whose step it is.'),
            ('component_executions', 'node_id', 'Node of workflows.definition whose component or label names the activity; of several, by order of scheduling. NULL: none does.'),
            ('component_executions', 'component_id', 'The component that the node, or the activity''s name, names.'),
            ('component_executions', 'component_name', 'The activity; of a child its workflow type.'),
            ('component_executions', 'status', 'pending, running, retrying (it failed and is tried again), completed, failed or cancelled.'),
            ('component_executions', 'started_at', 'When its newest attempt began.'),
            ('component_executions', 'completed_at', 'When it ended.'),
            ('component_executions', 'duration_ms', 'Of its last attempt, at most 2147483647.'),
            ('component_executions', 'input_data', 'Its argument, or an array of several; a note of the size if that is above the service''s limit, or if payloads aren''t recorded.'),
            ('component_executions', 'output_data', 'What it returned, likewise.'),
            ('component_executions', 'error_message', 'Why it, or its last attempt, failed.'),
            ('component_executions', 'error_type', 'The failure''s own type, else activity_failure; timeout, cancelled, or execution_ended if the execution didn''t wait for it.'),
            ('component_executions', 'retry_count', 'How many attempts there were before the newest.'),
            ('component_executions', 'is_expected_retry', 'It was tried again, as its node''s retry policy has it, or else a limit of attempts in the code.'),
            ('component_executions', 'temporal_activity_id', 'Temporal''s activity id; of a timer its id, of a child its workflow id.'),
            ('component_executions', 'temporal_attempt', 'The newest attempt, from 1.'),
            ('component_executions', 'created_at', 'When the row was made.'),
            ('component_executions', 'kind', 'activity, local_activity, timer or child.'),
            ('component_executions', 'scheduled_at', 'When the code asked for it.'),
            ('component_executions', 'next_attempt_at', 'Of one that is retrying: when it is tried again.'),
            ('component_executions', 'run_id', 'Temporal''s id of the run whose step it is.'),
            ('component_executions', 'updated_at', 'When the service last wrote it.'),
            ('component_executions', 'progress', 'Internal: how far the row has got; what is older doesn''t overwrite it.'),
            ('projects', 'record_steps', 'What gets rows in component_executions: none, activities, or all (timers and children, too). NULL: as RECORD_STEPS says.'),
            ('projects', 'record_payloads', 'false: component_executions has sizes instead of inputs and outputs. NULL: as RECORD_PAYLOADS says.'),
            ('components', 'config_schema', 'The Workflow Builder''s. The service reads redact: names of properties that never land in component_executions.')
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
