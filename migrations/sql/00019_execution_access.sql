-- +goose Up
-- Who may start executions, ask something of them and read them. The Workflow
-- Builder's policies let a signed-in user name any workflow and write any status and
-- output; what these add only takes away, whoever made the tables.

SET LOCAL lock_timeout = '4s';

-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
    t         text;
    created   boolean;
BEGIN
    ALTER TABLE public.workflow_executions ENABLE ROW LEVEL SECURITY;
    ALTER TABLE public.workflow_execution_requests ENABLE ROW LEVEL SECURITY;

    -- Closed first. Rights to columns are given one by one: what the service says is
    -- nobody else's to write.
    FOREACH t IN ARRAY ARRAY['workflow_executions', 'workflow_execution_requests'] LOOP
        created := (SELECT created_here FROM workflow_worker.contract_tables WHERE table_name = t);
        FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
            IF created OR role_name = 'anon' THEN
                EXECUTE format('REVOKE ALL ON public.%I FROM %I', t, role_name);
            ELSE
                EXECUTE format('REVOKE INSERT, UPDATE, TRUNCATE, REFERENCES, TRIGGER ON public.%I FROM %I', t, role_name);
            END IF;
        END LOOP;
        IF created AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO service_role', t);
        END IF;
    END LOOP;

    IF to_regprocedure('workflow_worker.own_projects()') IS NULL OR NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        RETURN; -- no Supabase
    END IF;

    -- As own_projects: they run with their owner's rights, so that policies need none.
    CREATE OR REPLACE FUNCTION workflow_worker.own_workflows() RETURNS SETOF uuid
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS 'SELECT w.id FROM public.workflows AS w WHERE w.project_id IN (SELECT workflow_worker.own_projects())';
    -- One by one: a user's executions are too many to list.
    CREATE OR REPLACE FUNCTION workflow_worker.owns_execution(execution_id uuid) RETURNS boolean
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS 'SELECT EXISTS (SELECT FROM public.workflow_executions AS e JOIN public.workflows AS w ON w.id = e.workflow_id
            WHERE e.id = $1 AND w.project_id IN (SELECT workflow_worker.own_projects()))';
    REVOKE ALL ON FUNCTION workflow_worker.own_workflows(), workflow_worker.owns_execution(uuid) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION workflow_worker.own_workflows(), workflow_worker.owns_execution(uuid) TO authenticated;
    COMMENT ON FUNCTION workflow_worker.own_workflows() IS 'Workflows of the projects of whoever is signed in. For policies.';
    COMMENT ON FUNCTION workflow_worker.owns_execution(uuid) IS 'Whether an execution is of a project of whoever is signed in. For policies.';

    -- A user's own Workflow Builder begins with building; from then on, until the row
    -- is pending, it is that one's, also if it fails.
    GRANT SELECT ON public.workflow_executions TO authenticated;
    GRANT INSERT (id, workflow_id, status, input, options, temporal_workflow_id, created_by, started_at)
        ON public.workflow_executions TO authenticated;
    GRANT UPDATE (status, input, options, error_message, completed_at) ON public.workflow_executions TO authenticated;

    DROP POLICY IF EXISTS workflow_worker_own ON public.workflow_executions;
    CREATE POLICY workflow_worker_own ON public.workflow_executions FOR SELECT TO authenticated
        USING (workflow_id IN (SELECT workflow_worker.own_workflows()));
    DROP POLICY IF EXISTS workflow_worker_start ON public.workflow_executions;
    CREATE POLICY workflow_worker_start ON public.workflow_executions FOR INSERT TO authenticated
        WITH CHECK (workflow_id IN (SELECT workflow_worker.own_workflows()));
    DROP POLICY IF EXISTS workflow_worker_build ON public.workflow_executions;
    CREATE POLICY workflow_worker_build ON public.workflow_executions FOR UPDATE TO authenticated
        USING (workflow_id IN (SELECT workflow_worker.own_workflows()))
        WITH CHECK (workflow_id IN (SELECT workflow_worker.own_workflows()));

    DROP POLICY IF EXISTS workflow_worker_only_own_select ON public.workflow_executions;
    CREATE POLICY workflow_worker_only_own_select ON public.workflow_executions AS RESTRICTIVE FOR SELECT TO authenticated
        USING (workflow_id IN (SELECT workflow_worker.own_workflows()));
    DROP POLICY IF EXISTS workflow_worker_only_own_insert ON public.workflow_executions;
    CREATE POLICY workflow_worker_only_own_insert ON public.workflow_executions AS RESTRICTIVE FOR INSERT TO authenticated
        WITH CHECK (workflow_id IN (SELECT workflow_worker.own_workflows()) AND status IN ('pending', 'building')
            AND (created_by IS NULL OR created_by::text = (SELECT workflow_worker.current_user_id())
                 OR created_by::text = (SELECT auth.uid())::text));
    DROP POLICY IF EXISTS workflow_worker_only_own_update ON public.workflow_executions;
    CREATE POLICY workflow_worker_only_own_update ON public.workflow_executions AS RESTRICTIVE FOR UPDATE TO authenticated
        USING (workflow_id IN (SELECT workflow_worker.own_workflows()) AND status = 'building')
        WITH CHECK (workflow_id IN (SELECT workflow_worker.own_workflows()) AND status IN ('building', 'pending', 'failed', 'cancelled'));
    DROP POLICY IF EXISTS workflow_worker_only_own_delete ON public.workflow_executions;
    CREATE POLICY workflow_worker_only_own_delete ON public.workflow_executions AS RESTRICTIVE FOR DELETE TO authenticated
        USING (workflow_id IN (SELECT workflow_worker.own_workflows()));

    -- When it was asked, and what came of it, is the service's to say.
    GRANT SELECT ON public.workflow_execution_requests TO authenticated;
    GRANT INSERT (id, execution_id, action, name, args, reason, requested_by) ON public.workflow_execution_requests TO authenticated;
    DROP POLICY IF EXISTS workflow_worker_own ON public.workflow_execution_requests;
    CREATE POLICY workflow_worker_own ON public.workflow_execution_requests FOR SELECT TO authenticated
        USING (workflow_worker.owns_execution(execution_id));
    DROP POLICY IF EXISTS workflow_worker_ask ON public.workflow_execution_requests;
    CREATE POLICY workflow_worker_ask ON public.workflow_execution_requests FOR INSERT TO authenticated
        WITH CHECK (workflow_worker.owns_execution(execution_id)
            AND (requested_by IS NULL OR requested_by::text = (SELECT workflow_worker.current_user_id())
                 OR requested_by::text = (SELECT auth.uid())::text));
END
$$;
-- +goose StatementEnd
