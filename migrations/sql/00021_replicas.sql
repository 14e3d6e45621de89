-- +goose Up
-- Which replicas there are: each computes from these rows which projects it runs.

SET LOCAL lock_timeout = '4s';

-- Small, and written at every heartbeat: room for updates in place.
CREATE TABLE IF NOT EXISTS public.workflow_replicas (
    name              text             PRIMARY KEY CHECK (name <> ''),
    status            text             NOT NULL
                      CHECK (status IN ('starting', 'running', 'short', 'draining', 'stopped')),
    status_since      timestamptz      NOT NULL DEFAULT now(),
    capacity          double precision NOT NULL DEFAULT 1 CHECK (capacity > 0 AND capacity < 'Infinity'),
    project_replicas  integer          NOT NULL DEFAULT 0 CHECK (project_replicas >= 0),
    projects_wanted   integer          NOT NULL DEFAULT 0,
    projects_running  integer          NOT NULL DEFAULT 0,
    host              text             NOT NULL DEFAULT '',
    process_id        text             NOT NULL DEFAULT '',
    heartbeat_seconds double precision NOT NULL DEFAULT 30,
    started_at        timestamptz      NOT NULL DEFAULT now(),
    last_heartbeat    timestamptz      NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- The others look at once when one comes, drains or goes. No publication: see 00017.
CREATE OR REPLACE TRIGGER workflow_worker_ring_inserted AFTER INSERT ON public.workflow_replicas
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.ring('replicas');
CREATE OR REPLACE TRIGGER workflow_worker_ring_updated AFTER UPDATE OF status ON public.workflow_replicas
    FOR EACH ROW WHEN (NEW.status IS DISTINCT FROM OLD.status)
    EXECUTE FUNCTION workflow_worker.ring('replicas');

-- Internal: nobody's but the operator's.
-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
BEGIN
    ALTER TABLE public.workflow_replicas ENABLE ROW LEVEL SECURITY;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
        EXECUTE format('REVOKE ALL ON public.workflow_replicas FROM %I', role_name);
    END LOOP;
END
$$;
-- +goose StatementEnd

COMMENT ON TABLE public.workflow_replicas IS
    'Replicas of the service, running or gone for less than a day. Written by workflow-worker.';
COMMENT ON COLUMN public.workflow_replicas.name IS 'Name, as in workflow_workers.metadata: REPLICA_NAME.';
COMMENT ON COLUMN public.workflow_replicas.status IS
    'starting; running: it runs what it should; short: it has no memory for more projects and keeps those that it has; draining: it was asked to stop, others take its projects over; stopped.';
COMMENT ON COLUMN public.workflow_replicas.status_since IS 'Since when.';
COMMENT ON COLUMN public.workflow_replicas.capacity IS 'Its share of the projects beside the other replicas'': CAPACITY.';
COMMENT ON COLUMN public.workflow_replicas.project_replicas IS 'On how many replicas it has each project run: PROJECT_REPLICAS. 0: on all.';
COMMENT ON COLUMN public.workflow_replicas.projects_wanted IS 'Projects that it should run, at its last heartbeat.';
COMMENT ON COLUMN public.workflow_replicas.projects_running IS 'Projects that it runs, at its last heartbeat.';
COMMENT ON COLUMN public.workflow_replicas.host IS 'Host.';
COMMENT ON COLUMN public.workflow_replicas.process_id IS 'Process id on that host.';
COMMENT ON COLUMN public.workflow_replicas.heartbeat_seconds IS 'Its HEARTBEAT_INTERVAL. All replicas should have the same.';
COMMENT ON COLUMN public.workflow_replicas.started_at IS 'When it started.';
COMMENT ON COLUMN public.workflow_replicas.last_heartbeat IS 'When it last wrote this row. One that is silent for two and a half intervals isn''t counted on.';
