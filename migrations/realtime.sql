-- Executions over Supabase Realtime, by private Broadcast: a message for each change of
-- an execution's status, on the topic execution:<id> and on project:<project id>; and one
-- (event step) on the execution's topic each time that some of its steps are written.
--
-- Run it as the owner of the tables, after the migrations; it may run any number of
-- times. A message carries id, status and version (updated_at in microseconds, which
-- only grows) and no value: a client reads the row when it has subscribed, and again at
-- each message whose version is newer. So a lost message costs nothing but time.
--
-- What it costs: two rows in realtime.messages for each change, about 0.5 KB of log
-- together, in the transaction that makes the change; Realtime removes them after three
-- days. Nothing per subscriber: who may listen is asked once, when they join.

DO $$
BEGIN
    IF to_regprocedure('realtime.send(jsonb, text, text, boolean)') IS NULL OR to_regprocedure('realtime.topic()') IS NULL THEN
        RAISE EXCEPTION 'this database has no realtime.send: is it Supabase, and its Realtime up to date?'
            USING HINT = 'workflow_executions can be published for postgres_changes instead.';
    END IF;
    IF to_regprocedure('workflow_worker.owns_execution(uuid)') IS NULL THEN
        RAISE EXCEPTION 'workflow_worker.owns_execution is missing: run the migrations first';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION workflow_worker.broadcast_execution() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
DECLARE
    message CONSTANT jsonb := pg_catalog.jsonb_build_object('id', NEW.id, 'status', NEW.status,
        'version', (extract(epoch FROM NEW.updated_at) * 1000000)::bigint);
BEGIN
    PERFORM realtime.send(message, 'execution', 'execution:' || NEW.id::text, true);
    PERFORM realtime.send(message, 'execution', 'project:' || w.project_id::text, true)
    FROM public.workflows AS w WHERE w.id = NEW.workflow_id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION workflow_worker.broadcast_execution() IS 'Trigger: tells listeners of Supabase Realtime that an execution changed.';

CREATE OR REPLACE FUNCTION workflow_worker.may_listen(topic text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
AS $$
    SELECT CASE
        WHEN topic !~ '^(execution|project):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN false
        WHEN topic LIKE 'execution:%' THEN workflow_worker.owns_execution(substr(topic, 11)::uuid)
        ELSE substr(topic, 9)::uuid IN (SELECT workflow_worker.own_projects())
    END
$$;
COMMENT ON FUNCTION workflow_worker.may_listen(text) IS 'Whether a topic is about what belongs to whoever is signed in. For policies.';
REVOKE ALL ON FUNCTION workflow_worker.broadcast_execution(), workflow_worker.may_listen(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION workflow_worker.may_listen(text) TO authenticated;

DROP POLICY IF EXISTS workflow_worker_listen ON realtime.messages;
CREATE POLICY workflow_worker_listen ON realtime.messages FOR SELECT TO authenticated
    USING (extension = 'broadcast' AND workflow_worker.may_listen((SELECT realtime.topic())));

CREATE OR REPLACE TRIGGER workflow_worker_broadcast_inserted AFTER INSERT ON public.workflow_executions
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.broadcast_execution();
CREATE OR REPLACE TRIGGER workflow_worker_broadcast_updated AFTER UPDATE ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.status IS DISTINCT FROM OLD.status OR NEW.temporal_run_id IS DISTINCT FROM OLD.temporal_run_id)
    EXECUTE FUNCTION workflow_worker.broadcast_execution();

-- Of steps one message for each execution that a statement writes some of: which, the
-- client reads from the table.
CREATE OR REPLACE FUNCTION workflow_worker.broadcast_steps() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    PERFORM realtime.send(pg_catalog.jsonb_build_object('id', s.id, 'version', (extract(epoch FROM s.at) * 1000000)::bigint),
        'step', 'execution:' || s.id::text, true)
    FROM (SELECT workflow_execution_id AS id, max(updated_at) AS at FROM written GROUP BY 1) AS s;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION workflow_worker.broadcast_steps() IS 'Trigger: tells listeners of Supabase Realtime that steps of an execution changed.';
REVOKE ALL ON FUNCTION workflow_worker.broadcast_steps() FROM PUBLIC;

CREATE OR REPLACE TRIGGER workflow_worker_broadcast_inserted AFTER INSERT ON public.component_executions
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION workflow_worker.broadcast_steps();
CREATE OR REPLACE TRIGGER workflow_worker_broadcast_updated AFTER UPDATE ON public.component_executions
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION workflow_worker.broadcast_steps();
