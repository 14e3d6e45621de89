-- +goose Up
-- Executions whose end nobody could tell, to ask about them again; and who is whose
-- child.

SET LOCAL lock_timeout = '4s';

ALTER TABLE public.workflow_executions
    ADD COLUMN IF NOT EXISTS parent_run_id text;

CREATE INDEX IF NOT EXISTS workflow_worker_executions_lost ON public.workflow_executions (id)
    WHERE status = 'failed' AND error ? 'lost';
CREATE INDEX IF NOT EXISTS workflow_worker_executions_orphans ON public.workflow_executions (parent_run_id)
    WHERE parent_id IS NULL AND parent_run_id IS NOT NULL;

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
