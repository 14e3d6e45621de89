-- +goose Up
-- Who counts as alive is said once, for the view and for the service.

SET LOCAL lock_timeout = '4s';

-- The body is read now, so no search_path changes what it means, and it is inlined where it is called.
CREATE OR REPLACE FUNCTION workflow_worker.is_alive(status text, last_heartbeat timestamptz, heartbeat_seconds double precision)
    RETURNS boolean LANGUAGE sql STABLE
    RETURN coalesce(status <> 'stopped' AND last_heartbeat > now() - 3 * coalesce(heartbeat_seconds, 30) * interval '1 second', false);
-- The view's readers call it. They have no USAGE of the schema, so they find it by the view alone.
GRANT EXECUTE ON FUNCTION workflow_worker.is_alive(text, timestamptz, double precision) TO PUBLIC;
COMMENT ON FUNCTION workflow_worker.is_alive(text, timestamptz, double precision) IS
    'Whether a replica, or its worker, counts as alive: it has told of itself within three of its intervals, and didn''t say farewell.';

-- +goose StatementBegin
DO $$
BEGIN
    IF coalesce(obj_description(to_regclass('public.project_status'), 'pg_class'), '') NOT LIKE '%workflow-worker%' THEN
        RETURN; -- somebody else's
    END IF;

    CREATE OR REPLACE VIEW public.project_status WITH (security_invoker = true) AS
    WITH worker AS (
        SELECT w.project_id, w.worker_id, w.status::text AS status, w.host, w.started_at, w.stopped_at, w.last_heartbeat, w.metadata,
               workflow_worker.is_alive(w.status::text, w.last_heartbeat, (w.metadata->>'heartbeatSeconds')::double precision) AS alive
        FROM public.workflow_workers w
    ),
    -- What is told of the newest text, and of executions: by the replica that knows most.
    teller AS (
        SELECT DISTINCT ON (project_id) *
        FROM worker
        ORDER BY project_id, alive DESC, status = 'running' DESC, last_heartbeat DESC NULLS LAST, worker_id
    ),
    source AS (
        SELECT t.project_id,
               coalesce(jsonb_agg(jsonb_build_object('workflow', s->>'name', 'version', s->>'version', 'since', s->>'since') ORDER BY s->>'name')
                        FILTER (WHERE kind = 'workflow' AND s ? 'hash'), '[]') AS live,
               count(*) FILTER (WHERE s ? 'error')::integer AS errors,
               count(*) FILTER (WHERE s ? 'warning')::integer AS warnings,
               coalesce(sum((s->'failing'->>'executions')::bigint), 0) AS failing
        FROM teller t,
             LATERAL (SELECT 'workflow' AS kind, e AS s FROM jsonb_array_elements(coalesce(t.metadata->'workflows', '[]')) AS e
                      UNION ALL
                      SELECT 'component', e FROM jsonb_array_elements(coalesce(t.metadata->'components', '[]')) AS e) AS sources
        GROUP BY t.project_id
    ),
    replicas AS (
        SELECT project_id,
               count(*) FILTER (WHERE alive)::integer AS alive,
               count(*) FILTER (WHERE alive AND status = 'running')::integer AS running,
               count(*) FILTER (WHERE alive AND status = 'failed')::integer AS failed,
               count(*) FILTER (WHERE alive AND status = 'starting')::integer AS starting,
               count(*) FILTER (WHERE alive AND status = 'stopping')::integer AS stopping,
               max(last_heartbeat) AS last_heartbeat
        FROM worker GROUP BY project_id
    ),
    wish AS (
        SELECT p.id AS project_id,
               coalesce(p.is_active, true)
                 AND EXISTS (SELECT FROM public.workflows w JOIN public.workflow_compiled_code c ON c.workflow_id = w.id AND c.is_active
                             WHERE w.project_id = p.id AND coalesce(w.is_active, true))
                 AND coalesce((SELECT r.action::text FROM public.worker_requests r
                               WHERE r.project_id = p.id AND r.action::text IN ('start', 'stop', 'restart')
                               ORDER BY r.requested_at DESC, r.id DESC LIMIT 1), '') <> 'stop' AS should_run
        FROM public.projects p
    )
    SELECT p.id AS project_id, p.name::text AS name, p.task_queue_name::text AS task_queue_name,
           wish.should_run,
           CASE
               WHEN r.running > 0 THEN 'running'
               WHEN r.failed > 0 THEN 'failed'
               WHEN r.starting > 0 THEN 'starting'
               WHEN r.stopping > 0 THEN 'stopping'
               WHEN wish.should_run THEN 'down'
               ELSE 'stopped'
           END AS status,
           coalesce(r.running, 0) AS replicas_running,
           coalesce(r.alive, 0) AS replicas_alive,
           CASE WHEN t.alive THEN t.metadata->>'error'
                WHEN wish.should_run THEN 'no living replica knows of it' END AS error,
           coalesce(s.errors, 0) AS errors,
           coalesce(s.warnings, 0) AS warnings,
           coalesce(s.failing, 0) + coalesce((t.metadata->'failing'->>'executions')::bigint, 0) AS failing_executions,
           coalesce(s.live, '[]') AS live,
           (t.metadata->'lastReload'->>'at')::timestamptz AS last_reload_at,
           t.metadata->'lastReload'->>'cause' AS last_reload_cause,
           r.last_heartbeat
    FROM public.projects p
    JOIN wish ON wish.project_id = p.id
    LEFT JOIN teller t ON t.project_id = p.id
    LEFT JOIN source s ON s.project_id = p.id
    LEFT JOIN replicas r ON r.project_id = p.id;
END
$$;
-- +goose StatementEnd
