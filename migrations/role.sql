-- The role that workflow-worker runs as, with what it needs and no more.
--
-- Run it as the owner of the tables (Supabase: postgres), after the migrations and
-- again after each upgrade; it may run any number of times. Then give the role a
-- password (psql: \password workflow_worker_service) and use it in DATABASE_URL.
-- This role can't migrate: run `workflow-worker migrate` as the owner.
--
-- REPLICATION is for the change stream, and wider than a grant: the role may stream
-- any publication of this database, and take a base backup where pg_hba.conf lets it
-- in for "replication" (don't). Without REPLICATION the service polls. To keep the
-- two apart, use a second role with LOGIN REPLICATION and nothing else in
-- REPLICATION_DATABASE_URL, and set this one NOREPLICATION.
--
-- No BYPASSRLS: that holds for every table of every database and takes a superuser
-- to give. Policies for just these tables are less, and their owner can make them.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'workflow_worker_service') THEN
        BEGIN
            CREATE ROLE workflow_worker_service LOGIN REPLICATION;
        EXCEPTION WHEN insufficient_privilege THEN
            -- PostgreSQL 15 lets only a superuser give REPLICATION; later versions also a role
            -- with CREATEROLE that has it itself.
            CREATE ROLE workflow_worker_service LOGIN;
            RAISE NOTICE 'role workflow_worker_service was made without REPLICATION, and the service polls: a superuser must run ALTER ROLE workflow_worker_service REPLICATION';
        END;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO workflow_worker_service', current_database());
END
$$;

GRANT USAGE ON SCHEMA public, workflow_worker TO workflow_worker_service;

-- To see that the migrations are all there.
GRANT SELECT ON workflow_worker.schema_version TO workflow_worker_service;

-- What should run: read only.
GRANT SELECT ON public.projects, public.workflows, public.workflow_compiled_code, public.components
    TO workflow_worker_service;

-- Requests: take up and answer, neither make nor delete.
GRANT SELECT, UPDATE (status, error, result, started_at, completed_at) ON public.worker_requests
    TO workflow_worker_service;

-- The service's own books. Old rows of its registry, what is no longer live, and
-- code that no execution can need any more, it removes.
GRANT SELECT, INSERT, UPDATE, DELETE ON public.workflow_workers, public.workflow_live_code, public.workflow_code_store,
    public.workflow_replicas, public.workflow_quarantine, public.workflow_quarantined_executions, public.workflow_package_bundles, public.workflow_execution_moves, public.workflow_execution_stays, public.workflow_execution_failures, public.workflow_live_periods
    TO workflow_worker_service;
GRANT SELECT, INSERT, DELETE ON public.worker_events
    TO workflow_worker_service;
GRANT USAGE ON SEQUENCE workflow_worker.worker_events_id, workflow_worker.workflow_execution_moves_seq TO workflow_worker_service;
GRANT SELECT, INSERT, UPDATE ON public.activity_statistics
    TO workflow_worker_service;

-- Executions: what becomes of them, rows for those that somebody else started, and
-- what is over for long enough. Not what they were asked to do.
GRANT SELECT, INSERT, DELETE, UPDATE (temporal_workflow_id, temporal_run_id, status, started_at, completed_at, output, error_message,
    duration_ms, activities_executed, error, code_version, code_hash, attempt, parent_id, claimed_at, leased_until, first_run_id)
    ON public.workflow_executions TO workflow_worker_service;
GRANT SELECT, DELETE, UPDATE (status, result, error, started_at, completed_at, leased_until, run_id, delivered_at)
    ON public.workflow_execution_requests TO workflow_worker_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.component_executions, workflow_worker.steps_due,
    workflow_worker.executions_due, workflow_worker.execution_runs TO workflow_worker_service;

-- Statistics: what ended is noted, and a function adds it up in the tables, of which the
-- service needs no rights then; and which versions of rows are only counted on.
GRANT INSERT ON workflow_worker.uncounted TO workflow_worker_service;
GRANT SELECT ON workflow_worker.counted_versions TO workflow_worker_service;
GRANT EXECUTE ON FUNCTION workflow_worker.count_up(integer) TO workflow_worker_service;

-- How projects are, for "workflow-worker status". The view is missing where somebody else
-- has a relation of that name.
DO $$
BEGIN
    IF to_regclass('public.project_status') IS NOT NULL THEN
        GRANT SELECT ON public.project_status TO workflow_worker_service;
    END IF;
END
$$;

-- The same where row level security is on.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT * FROM (VALUES
            ('projects', 'SELECT', 'USING (true)'), ('workflows', 'SELECT', 'USING (true)'),
            ('workflow_compiled_code', 'SELECT', 'USING (true)'), ('components', 'SELECT', 'USING (true)'),
            ('worker_requests', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_workers', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_replicas', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_quarantine', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_quarantined_executions', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('activity_statistics', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_code_store', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_package_bundles', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('worker_events', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_execution_moves', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_execution_stays', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_execution_failures', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_live_periods', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_executions', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_execution_requests', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('component_executions', 'ALL', 'USING (true) WITH CHECK (true)'),
            ('workflow_live_code', 'ALL', 'USING (true) WITH CHECK (true)')
        ) AS v (table_name, command, expression)
    LOOP
        -- Not IF EXISTS, whose notices would hide the one above.
        IF EXISTS (SELECT FROM pg_policies WHERE schemaname = 'public' AND tablename = t.table_name AND policyname = 'workflow_worker_service') THEN
            EXECUTE format('DROP POLICY workflow_worker_service ON public.%I', t.table_name);
        END IF;
        EXECUTE format('CREATE POLICY workflow_worker_service ON public.%I FOR %s TO workflow_worker_service %s',
            t.table_name, t.command, t.expression);
    END LOOP;
END
$$;
