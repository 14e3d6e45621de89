-- +goose Up
-- While an execution goes on, its row's status, ids and code change, and no index of ours
-- is about any of these: the row's updates are heap-only, however many rows are over. What
-- waits for the service, and which runs belong to which row, is beside it, in tables as
-- small as what goes on. They are made again from the rows, whatever becomes of them.
--
-- An open row has no completed_at. Adopting the Workflow Builder's table rewrites nothing.

SET LOCAL lock_timeout = '4s';

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
COMMENT ON TABLE workflow_worker.executions_due IS 'Internal: rows of workflow_executions that the service is to start, or to find the execution of.';
COMMENT ON COLUMN workflow_worker.executions_due.execution_id IS 'Row of workflow_executions.';
COMMENT ON COLUMN workflow_worker.executions_due.reason IS 'start: it is pending. look: somebody else says that it runs, or made it pending again.';
COMMENT ON COLUMN workflow_worker.executions_due.workflow_id IS 'Its workflow.';
COMMENT ON COLUMN workflow_worker.executions_due.created_at IS 'When it was made: who waits for longest comes first.';
COMMENT ON COLUMN workflow_worker.executions_due.leased_until IS 'Until when nobody else goes on with its start. NULL: nobody has set about it.';

CREATE TABLE IF NOT EXISTS workflow_worker.execution_runs (
    run_id       text NOT NULL,
    execution_id uuid NOT NULL,
    PRIMARY KEY (run_id, execution_id)
);
COMMENT ON TABLE workflow_worker.execution_runs IS 'Internal: rows of workflow_executions by their first and their newest run.';
COMMENT ON COLUMN workflow_worker.execution_runs.run_id IS 'Temporal''s run id.';
COMMENT ON COLUMN workflow_worker.execution_runs.execution_id IS 'Row of workflow_executions.';

-- Space for a row's next versions beside it. Of what is full already nothing is rewritten.
-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['workflow_executions', 'component_executions'] LOOP
        IF NOT EXISTS (SELECT FROM pg_class c, unnest(c.reloptions) AS o (option)
                       WHERE c.oid = format('public.%I', t)::regclass AND o.option LIKE 'fillfactor=%') THEN
            EXECUTE format('ALTER TABLE public.%I SET (fillfactor = 70)', t);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- A row that somebody opens again has no end.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION workflow_worker.take_end() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    NEW.completed_at := NULL;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION workflow_worker.note_work() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
DECLARE
    due text := CASE WHEN NEW.status::text = 'pending' AND NEW.first_run_id IS NULL THEN 'start'
                     WHEN NEW.status::text = 'pending' OR NEW.status::text IN ('running', 'paused') AND NEW.first_run_id IS NULL THEN 'look' END;
BEGIN
    IF due IS NULL THEN
        DELETE FROM workflow_worker.executions_due d WHERE d.execution_id = NEW.id;
    ELSIF TG_OP = 'INSERT' OR (NEW.status, NEW.first_run_id, NEW.workflow_id) IS DISTINCT FROM (OLD.status, OLD.first_run_id, OLD.workflow_id) THEN
        -- What was set about before isn't begun without a look whether it was.
        INSERT INTO workflow_worker.executions_due AS d (execution_id, reason, workflow_id, created_at, leased_until)
        VALUES (NEW.id, due, NEW.workflow_id, coalesce(NEW.created_at, now()), CASE WHEN due = 'start' AND NEW.claimed_at IS NOT NULL THEN now() END)
        ON CONFLICT (execution_id) DO UPDATE SET reason = excluded.reason, workflow_id = excluded.workflow_id, leased_until = excluded.leased_until;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.first_run_id IS NOT NULL THEN
        -- A chain of runs is found by its first and by its newest.
        DELETE FROM workflow_worker.execution_runs r
        WHERE r.execution_id = NEW.id AND r.run_id IN (OLD.first_run_id, OLD.temporal_run_id)
          AND r.run_id IS DISTINCT FROM NEW.first_run_id AND r.run_id IS DISTINCT FROM NEW.temporal_run_id;
    END IF;
    IF NEW.first_run_id IS NOT NULL THEN
        INSERT INTO workflow_worker.execution_runs (run_id, execution_id)
        SELECT DISTINCT run, NEW.id FROM unnest(ARRAY[NEW.first_run_id, NEW.temporal_run_id::text]) AS u (run) WHERE run IS NOT NULL
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION workflow_worker.forget_work() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
BEGIN
    DELETE FROM workflow_worker.executions_due d USING deleted o WHERE d.execution_id = o.id;
    DELETE FROM workflow_worker.execution_runs r
    USING (SELECT d.id, unnest(ARRAY[d.first_run_id, d.temporal_run_id::text]) AS run FROM deleted d) o
    WHERE r.run_id = o.run AND r.execution_id = o.id;
    RETURN NULL;
END
$$;

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
REVOKE ALL ON FUNCTION workflow_worker.take_end(), workflow_worker.note_work(), workflow_worker.forget_work(), workflow_worker.ring_for_executions() FROM PUBLIC;
COMMENT ON FUNCTION workflow_worker.take_end() IS 'Trigger: what isn''t over has no completed_at.';
COMMENT ON FUNCTION workflow_worker.note_work() IS 'Trigger: notes what the service is to do about an execution, and by which runs it is found.';
COMMENT ON FUNCTION workflow_worker.forget_work() IS 'Trigger: forgets both of rows that are gone.';
COMMENT ON FUNCTION workflow_worker.ring_for_executions() IS 'Trigger: notes rows that are to be started, or followed, and tells the service, once per statement.';

CREATE OR REPLACE TRIGGER workflow_worker_take_end BEFORE INSERT OR UPDATE OF status, completed_at ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.completed_at IS NOT NULL AND NEW.status IN ('pending', 'running', 'paused'))
    EXECUTE FUNCTION workflow_worker.take_end();
CREATE OR REPLACE TRIGGER workflow_worker_note_work_inserted AFTER INSERT ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.first_run_id IS NOT NULL)
    EXECUTE FUNCTION workflow_worker.note_work();
-- In a plain life once: when the row says that it runs.
CREATE OR REPLACE TRIGGER workflow_worker_note_work_updated AFTER UPDATE OF workflow_id, status, first_run_id, temporal_run_id ON public.workflow_executions
    FOR EACH ROW WHEN (OLD.status = 'pending' OR NEW.status = 'pending' OR OLD.first_run_id IS NULL
        OR NEW.first_run_id IS DISTINCT FROM OLD.first_run_id OR NEW.temporal_run_id IS DISTINCT FROM OLD.temporal_run_id)
    EXECUTE FUNCTION workflow_worker.note_work();
CREATE OR REPLACE TRIGGER workflow_worker_forget_work AFTER DELETE ON public.workflow_executions
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION workflow_worker.forget_work();
CREATE OR REPLACE TRIGGER workflow_worker_steps_due_updated AFTER UPDATE OF status, temporal_run_id ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.first_run_id IS NOT NULL
        AND (NEW.status IN ('completed', 'failed', 'cancelled') AND NEW.status IS DISTINCT FROM OLD.status
             OR OLD.temporal_run_id IS NOT NULL AND NEW.temporal_run_id IS DISTINCT FROM OLD.temporal_run_id))
    EXECUTE FUNCTION workflow_worker.note_steps_due();

-- What the rows say that are there already.
UPDATE public.workflow_executions SET completed_at = NULL
WHERE status IN ('pending', 'running', 'paused') AND completed_at IS NOT NULL;
INSERT INTO workflow_worker.executions_due (execution_id, reason, workflow_id, created_at, leased_until)
SELECT e.id, CASE WHEN e.status::text = 'pending' AND e.first_run_id IS NULL THEN 'start' ELSE 'look' END, e.workflow_id, coalesce(e.created_at, now()),
    CASE WHEN e.status::text = 'pending' AND e.first_run_id IS NULL AND e.claimed_at IS NOT NULL THEN coalesce(e.leased_until, now()) END
FROM public.workflow_executions e
WHERE e.status::text = 'pending' OR e.status::text IN ('running', 'paused') AND e.first_run_id IS NULL
ON CONFLICT (execution_id) DO NOTHING;
INSERT INTO workflow_worker.execution_runs (run_id, execution_id)
SELECT DISTINCT u.run, e.id
FROM public.workflow_executions e, unnest(ARRAY[e.first_run_id, e.temporal_run_id::text]) AS u (run)
WHERE e.first_run_id IS NOT NULL AND u.run IS NOT NULL
ON CONFLICT DO NOTHING;

-- What isn't over; what is for long enough, of each workflow by itself: what one project
-- keeps for years isn't gone through for what another doesn't; and whose end nobody could
-- tell.
CREATE INDEX IF NOT EXISTS workflow_worker_executions_not_over ON public.workflow_executions (id)
    WHERE completed_at IS NULL;
CREATE INDEX IF NOT EXISTS workflow_worker_executions_ended ON public.workflow_executions (workflow_id, completed_at)
    WHERE completed_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS workflow_worker_executions_unexplained ON public.workflow_executions (id)
    WHERE completed_at IS NOT NULL AND error ? 'lost';
DROP INDEX IF EXISTS public.workflow_worker_executions_pending, public.workflow_worker_executions_claimed, public.workflow_worker_executions_open,
    public.workflow_worker_executions_unknown, public.workflow_worker_executions_temporal, public.workflow_worker_executions_chain,
    public.workflow_worker_executions_lost, public.workflow_worker_executions_kept;
