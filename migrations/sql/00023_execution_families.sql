-- +goose Up
-- Who is whose child, and two hints instead of one: who looks for what somebody else
-- started needn't look at every start of ours.

SET LOCAL lock_timeout = '4s';

ALTER TABLE public.workflow_executions
    ADD COLUMN IF NOT EXISTS parent_run_id text;

CREATE INDEX IF NOT EXISTS workflow_worker_executions_orphans ON public.workflow_executions (parent_run_id)
    WHERE parent_id IS NULL AND parent_run_id IS NOT NULL;
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

CREATE OR REPLACE TRIGGER workflow_worker_ring_updated AFTER UPDATE OF status ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.first_run_id IS NULL AND NEW.claimed_at IS NULL AND NEW.status = 'pending'
                       AND NEW.status IS DISTINCT FROM OLD.status)
    EXECUTE FUNCTION workflow_worker.ring('executions');
CREATE OR REPLACE TRIGGER workflow_worker_ring_followed AFTER UPDATE OF status ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.first_run_id IS NULL AND NEW.claimed_at IS NULL AND NEW.status = 'running'
                       AND NEW.status IS DISTINCT FROM OLD.status)
    EXECUTE FUNCTION workflow_worker.ring('followed executions');
