-- +goose Up
-- What becomes of each project, in one row: for people, for SQL and for the UI.

SET LOCAL lock_timeout = '4s';

-- One row per project, whatever became of earlier replicas: only what lives counts. A replica is
-- taken for dead when it was silent for three of its heartbeat intervals, which it tells itself.
--
-- The reader's own rights and policies hold (security_invoker): a signed-in user sees their own
-- projects. A relation or type of that name that isn't ours stays as it is.
-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
BEGIN
    IF to_regtype('public.project_status') IS NOT NULL
       AND coalesce(obj_description(to_regclass('public.project_status'), 'pg_class'), '') NOT LIKE '%workflow-worker%' THEN
        RAISE NOTICE 'public.project_status is somebody else''s: the view of that name is not made';
        RETURN;
    END IF;

    CREATE OR REPLACE VIEW public.project_status WITH (security_invoker = true) AS
    WITH worker AS (
        SELECT w.project_id, w.worker_id, w.status::text AS status, w.host, w.started_at, w.stopped_at, w.last_heartbeat, w.metadata,
               w.status::text <> 'stopped'
                 AND w.last_heartbeat > now() - 3 * coalesce((w.metadata->>'heartbeatSeconds')::double precision, 30) * interval '1 second' AS alive
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

    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
        EXECUTE format('REVOKE ALL ON public.project_status FROM %I', role_name);
    END LOOP;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('authenticated', 'service_role') LOOP
        EXECUTE format('GRANT SELECT ON public.project_status TO %I', role_name);
    END LOOP;

    COMMENT ON VIEW public.project_status IS
        'How each project is: one row per project, whatever became of earlier replicas. Read it as any table; it shows the projects that you may see. Made by workflow-worker.';
    COMMENT ON COLUMN public.project_status.project_id IS 'Project.';
    COMMENT ON COLUMN public.project_status.name IS 'Its name.';
    COMMENT ON COLUMN public.project_status.task_queue_name IS 'Temporal task queue that its worker polls.';
    COMMENT ON COLUMN public.project_status.should_run IS 'Whether the rows say that it should run: switched on, code there, and no stop request as the newest.';
    COMMENT ON COLUMN public.project_status.status IS 'running, failed, starting, stopping, stopped, or down: it should run and no living replica knows of it.';
    COMMENT ON COLUMN public.project_status.replicas_running IS 'Living replicas that run it.';
    COMMENT ON COLUMN public.project_status.replicas_alive IS 'Living replicas that know of it, running or not.';
    COMMENT ON COLUMN public.project_status.error IS 'The first thing that isn''t as the rows want it. NULL: all is well.';
    COMMENT ON COLUMN public.project_status.errors IS 'Workflows and components whose newest text isn''t what is live.';
    COMMENT ON COLUMN public.project_status.warnings IS 'Workflows and components with warnings.';
    COMMENT ON COLUMN public.project_status.failing_executions IS 'Open executions that get no further because their workflow tasks fail.';
    COMMENT ON COLUMN public.project_status.live IS 'What is live: workflow, version, since.';
    COMMENT ON COLUMN public.project_status.last_reload_at IS 'When code last went live.';
    COMMENT ON COLUMN public.project_status.last_reload_cause IS 'Why.';
    COMMENT ON COLUMN public.project_status.last_heartbeat IS 'The newest of any replica.';
END
$$;
-- +goose StatementEnd
