-- +goose Up
-- Executions whose end nobody could tell, to ask about them again; who is whose child;
-- and what is over for long enough, of each workflow by itself: what one project keeps
-- for years isn't gone through for what another doesn't. And two hints instead of one:
-- who looks for what somebody else started needn't look at every start of ours.

SET LOCAL lock_timeout = '4s';

ALTER TABLE public.workflow_executions
    ADD COLUMN IF NOT EXISTS parent_run_id text;

CREATE INDEX IF NOT EXISTS workflow_worker_executions_lost ON public.workflow_executions (id)
    WHERE status = 'failed' AND error ? 'lost';
CREATE INDEX IF NOT EXISTS workflow_worker_executions_orphans ON public.workflow_executions (parent_run_id)
    WHERE parent_id IS NULL AND parent_run_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS workflow_worker_executions_kept ON public.workflow_executions (workflow_id, completed_at)
    WHERE status IN ('completed', 'failed', 'cancelled');
DROP INDEX IF EXISTS public.workflow_worker_executions_over;

-- +goose StatementBegin
DO $$
BEGIN
    IF coalesce(col_description('public.workflow_executions'::regclass, (SELECT attnum FROM pg_attribute
            WHERE attrelid = 'public.workflow_executions'::regclass AND attname = 'parent_run_id')), '') = '' THEN
        COMMENT ON COLUMN public.workflow_executions.parent_run_id IS 'Internal: first run of the execution whose child it is. It finds parent_id, whichever row is there first.';
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION workflow_worker.ring_for_executions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
BEGIN
    IF EXISTS (SELECT FROM inserted WHERE status::text = 'pending' AND first_run_id IS NULL) THEN
        PERFORM pg_catalog.pg_logical_emit_message(true, 'workflow_worker', 'executions');
    END IF;
    IF EXISTS (SELECT FROM inserted WHERE status::text = 'running' AND first_run_id IS NULL) THEN
        PERFORM pg_catalog.pg_logical_emit_message(true, 'workflow_worker', 'followed executions');
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER workflow_worker_ring_updated AFTER UPDATE OF status ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.first_run_id IS NULL AND NEW.claimed_at IS NULL AND NEW.status = 'pending'
                       AND NEW.status IS DISTINCT FROM OLD.status)
    EXECUTE FUNCTION workflow_worker.ring('executions');
CREATE OR REPLACE TRIGGER workflow_worker_ring_followed AFTER UPDATE OF status ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.first_run_id IS NULL AND NEW.claimed_at IS NULL AND NEW.status = 'running'
                       AND NEW.status IS DISTINCT FROM OLD.status)
    EXECUTE FUNCTION workflow_worker.ring('followed executions');
