-- +goose Up
-- What is asked of executions, by rows that are only ever inserted, as worker_requests
-- are.

SET LOCAL lock_timeout = '4s';

INSERT INTO workflow_worker.contract_tables (table_name, created_here)
SELECT name, to_regclass(format('public.%I', name)) IS NULL
FROM unnest(ARRAY['workflow_execution_requests']) AS t (name)
ON CONFLICT (table_name) DO NOTHING;

CREATE TABLE IF NOT EXISTS public.workflow_execution_requests (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    -- No foreign key, on purpose: whoever asked gets an answer, also when the
    -- execution's row was deleted in between.
    execution_id uuid        NOT NULL,
    action       text        NOT NULL
                 CHECK (action IN ('cancel', 'terminate', 'signal', 'update', 'query', 'reset', 'pause', 'unpause')),
    name         text,
    args         jsonb,
    reason       text,
    status       text        NOT NULL DEFAULT 'pending'
                 CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    result       jsonb,
    error        text,
    requested_by uuid,
    -- Requests of one statement need an order: not now().
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at   timestamptz,
    completed_at timestamptz,
    -- Internal: until when whoever took it up has it, and how far it got.
    leased_until timestamptz,
    run_id       text,
    delivered_at timestamptz
) WITH (fillfactor = 70);

CREATE INDEX IF NOT EXISTS workflow_worker_execution_requests_open ON public.workflow_execution_requests (execution_id, requested_at, id)
    WHERE status IN ('pending', 'processing');
CREATE INDEX IF NOT EXISTS idx_workflow_execution_requests_execution ON public.workflow_execution_requests (execution_id);
CREATE INDEX IF NOT EXISTS workflow_worker_execution_requests_over ON public.workflow_execution_requests (completed_at)
    WHERE status IN ('completed', 'failed');

CREATE OR REPLACE TRIGGER workflow_worker_ring AFTER INSERT ON public.workflow_execution_requests
    FOR EACH STATEMENT EXECUTE FUNCTION workflow_worker.ring('requests');

COMMENT ON TABLE public.workflow_execution_requests IS 'What is asked of an execution: insert a row, the service answers in it.';
COMMENT ON COLUMN public.workflow_execution_requests.id IS 'Key. A signal or update is delivered once by it.';
COMMENT ON COLUMN public.workflow_execution_requests.execution_id IS 'Row of workflow_executions.';
COMMENT ON COLUMN public.workflow_execution_requests.action IS 'cancel, terminate, signal, update, query, reset, pause or unpause. Those of one execution are done in the order of requested_at.';
COMMENT ON COLUMN public.workflow_execution_requests.name IS 'Of the signal, update or query. For reset: first, or last (the default), completed workflow task.';
COMMENT ON COLUMN public.workflow_execution_requests.args IS 'For signal, update and query: the arguments, an array; anything else is the only argument. For reset: eventId, instead of a name.';
COMMENT ON COLUMN public.workflow_execution_requests.reason IS 'Why, for Temporal''s history.';
COMMENT ON COLUMN public.workflow_execution_requests.status IS 'pending, processing (somebody works on it), completed or failed.';
COMMENT ON COLUMN public.workflow_execution_requests.result IS 'What an update or query returned; of a reset, runId.';
COMMENT ON COLUMN public.workflow_execution_requests.error IS 'Why it failed.';
COMMENT ON COLUMN public.workflow_execution_requests.requested_by IS 'Who asked.';
COMMENT ON COLUMN public.workflow_execution_requests.requested_at IS 'When it was asked; orders the requests of an execution.';
COMMENT ON COLUMN public.workflow_execution_requests.started_at IS 'When it was first taken up.';
COMMENT ON COLUMN public.workflow_execution_requests.completed_at IS 'When it was completed or failed.';
COMMENT ON COLUMN public.workflow_execution_requests.leased_until IS 'Internal: until when nobody else takes it up.';
COMMENT ON COLUMN public.workflow_execution_requests.run_id IS 'Internal: the run that it went to, written before it goes.';
COMMENT ON COLUMN public.workflow_execution_requests.delivered_at IS 'Internal: when an update was accepted. What follows it needn''t wait for its result.';
