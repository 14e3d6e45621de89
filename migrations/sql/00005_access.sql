-- +goose Up
-- Who may see and write what. The owner of the tables is bound by none of it; the
-- service's own role gets its rights from migrations/role.sql.
--
-- Plain PostgreSQL: row level security is on for the tables made by us, without
-- policies: nobody but their owner sees a row.
-- Supabase (a function auth.uid() and a role "authenticated" exist): a signed-in
-- user sees the rows of their own projects. Supabase's default privileges open
-- each new table in "public" to anon and authenticated, so rights are taken back
-- first and then given one by one.

SET LOCAL lock_timeout = '4s';

-- Row level security, only where the table is ours. ---------------------------
-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOR t IN SELECT table_name FROM workflow_worker.contract_tables
             WHERE created_here AND table_name NOT LIKE '%\_execution%' AND table_name NOT IN ('workflow_statistics', 'project_statistics') LOOP -- those are 00019's, 00022's and 00024's
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', t);
    END LOOP;
    -- The registry is the service's, whoever made the table.
    ALTER TABLE public.workflow_workers ENABLE ROW LEVEL SECURITY;
END
$$;
-- +goose StatementEnd

-- What belongs to whom. -------------------------------------------------------
-- A project's owner is in projects.created_by (or owner_id, user_id, owner): either
-- an id of Supabase's auth.users, or of a users table that has auth_user_id. The
-- bodies are text, not SQL-standard ones, so that no dependency on them ever stands
-- in the way of the Workflow Builder's migrations. They run with their owner's
-- rights: a policy that asks them needs no rights on users or projects.
-- +goose StatementBegin
DO $$
DECLARE
    supabase      boolean;
    owner_column  text;
    owner_type    regtype;
    users_table   text;          -- NULL: the owner column holds auth.uid() itself
    users_key     text;
    referenced    oid;
    role_name     text;
    policy        record;
    t             text;
BEGIN
    SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                   WHERE n.nspname = 'auth' AND p.proname = 'uid' AND p.pronargs = 0)
       AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated')
    INTO supabase;

    -- Closed first, for every role that the world comes in by.
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        FOR t IN SELECT table_name FROM workflow_worker.contract_tables
                 WHERE (created_here OR table_name = 'workflow_workers') AND table_name NOT LIKE '%\_execution%'
                   AND table_name NOT IN ('workflow_statistics', 'project_statistics') LOOP
            EXECUTE format('REVOKE ALL ON public.%I FROM %I', t, role_name);
        END LOOP;
    END LOOP;

    -- A policy that says "true" to everybody on the registry ("System can manage
    -- workers") lets every visitor read, change and delete everybody's rows, and
    -- no policy beside it can take that back. The definition is logged.
    FOR policy IN
        SELECT p.polname, p.polcmd, pg_get_expr(p.polqual, p.polrelid) AS using_expression,
               pg_get_expr(p.polwithcheck, p.polrelid) AS check_expression
        FROM pg_policy p
        WHERE p.polrelid = 'public.workflow_workers'::regclass AND p.polpermissive
          AND 'true' IN (pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
          AND EXISTS (SELECT FROM unnest(p.polroles) AS r (id) LEFT JOIN pg_roles ON pg_roles.oid = r.id
                      WHERE r.id = 0 OR rolname IN ('anon', 'authenticated'))
    LOOP
        EXECUTE format('DROP POLICY %I ON public.workflow_workers', policy.polname);
        RAISE NOTICE 'replaced policy "%" of workflow_workers, open to everybody (command %, using %, check %)',
            policy.polname, policy.polcmd, policy.using_expression, policy.check_expression;
    END LOOP;

    IF NOT supabase THEN
        RETURN;
    END IF;

    SELECT a.attname, a.atttypid::regtype INTO owner_column, owner_type
    FROM unnest(ARRAY['created_by', 'owner_id', 'user_id', 'owner']) WITH ORDINALITY AS o (name, n)
    JOIN pg_attribute a ON a.attrelid = 'public.projects'::regclass AND a.attname = o.name AND NOT a.attisdropped
    ORDER BY o.n LIMIT 1;

    -- Where the owner column points says what it holds; without a foreign key, a
    -- table public.users with auth_user_id does.
    SELECT c.confrelid INTO referenced
    FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
    WHERE c.contype = 'f' AND c.conrelid = 'public.projects'::regclass AND a.attname = owner_column
    LIMIT 1;
    referenced := coalesce(referenced, to_regclass('public.users'));
    SELECT format('%I.%I', n.nspname, c.relname) INTO users_table
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attrelid = referenced AND a.attname = 'auth_user_id' AND NOT a.attisdropped;
    SELECT fa.attname INTO users_key
    FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
    JOIN pg_attribute fa ON fa.attrelid = c.confrelid AND c.confkey = ARRAY[fa.attnum]
    WHERE c.contype = 'f' AND c.conrelid = 'public.projects'::regclass AND a.attname = owner_column
      AND c.confrelid = referenced
    LIMIT 1;

    EXECUTE format($f$
        CREATE OR REPLACE FUNCTION workflow_worker.current_user_id() RETURNS text
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
        AS %L $f$,
        CASE WHEN users_table IS NULL THEN 'SELECT auth.uid()::text'
             ELSE format('SELECT u.%I::text FROM %s AS u WHERE u.auth_user_id::text = auth.uid()::text',
                         coalesce(users_key, 'id'), users_table) END);

    IF owner_column IS NULL THEN
        RAISE WARNING 'public.projects has no column that says who owns a project (created_by, owner_id, user_id, owner): signed-in users will see no workers and can make no requests';
    END IF;
    EXECUTE format($f$
        CREATE OR REPLACE FUNCTION workflow_worker.own_projects() RETURNS SETOF uuid
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
        AS %L $f$,
        CASE WHEN owner_column IS NULL THEN 'SELECT NULL::uuid WHERE false'
             ELSE format('SELECT p.id FROM public.projects AS p WHERE p.%I = (SELECT workflow_worker.current_user_id())::%s',
                         owner_column, owner_type) END);

    REVOKE ALL ON FUNCTION workflow_worker.current_user_id(), workflow_worker.own_projects() FROM PUBLIC;
    -- No USAGE on the schema: policies find functions without it, API callers don't.
    GRANT EXECUTE ON FUNCTION workflow_worker.current_user_id(), workflow_worker.own_projects() TO authenticated;
    COMMENT ON FUNCTION workflow_worker.current_user_id() IS 'Who is signed in, as projects name their owner.';
    COMMENT ON FUNCTION workflow_worker.own_projects() IS 'Projects of whoever is signed in. For policies.';

    -- Code that a row brings into a project runs with that project's rights. The
    -- Workflow Builder checks in its own program that a workflow's project belongs
    -- to its author; its policies don't, so a signed-in user could put code into a
    -- stranger's project over the API. (Restrictive: these only ever take away.)
    DROP POLICY IF EXISTS workflow_worker_own_project_insert ON public.workflows;
    CREATE POLICY workflow_worker_own_project_insert ON public.workflows
        AS RESTRICTIVE FOR INSERT TO authenticated
        WITH CHECK (project_id IS NULL OR project_id IN (SELECT workflow_worker.own_projects()));
    DROP POLICY IF EXISTS workflow_worker_own_project_update ON public.workflows;
    CREATE POLICY workflow_worker_own_project_update ON public.workflows
        AS RESTRICTIVE FOR UPDATE TO authenticated USING (true)
        WITH CHECK (project_id IS NULL OR project_id IN (SELECT workflow_worker.own_projects()));
    DROP POLICY IF EXISTS workflow_worker_own_project_insert ON public.components;
    CREATE POLICY workflow_worker_own_project_insert ON public.components
        AS RESTRICTIVE FOR INSERT TO authenticated
        WITH CHECK (project_id IS NULL OR project_id IN (SELECT workflow_worker.own_projects()));
    DROP POLICY IF EXISTS workflow_worker_own_project_update ON public.components;
    CREATE POLICY workflow_worker_own_project_update ON public.components
        AS RESTRICTIVE FOR UPDATE TO authenticated USING (true)
        WITH CHECK (project_id IS NULL OR project_id IN (SELECT workflow_worker.own_projects()));

    -- The rest only on tables that are ours, and the registry: others have their
    -- owner's policies.
    FOR t IN SELECT table_name FROM workflow_worker.contract_tables
             WHERE (created_here OR table_name = 'workflow_workers') AND table_name NOT LIKE '%\_execution%'
                   AND table_name NOT IN ('workflow_statistics', 'project_statistics') LOOP
        EXECUTE format('DROP POLICY IF EXISTS workflow_worker_own ON public.%I', t);
        CASE t
        WHEN 'worker_requests' THEN
            -- Column by column: when it was asked, and what came of it, is ours to say.
            GRANT SELECT ON public.worker_requests TO authenticated;
            GRANT INSERT (id, project_id, action, status, requested_by) ON public.worker_requests TO authenticated;
            IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'public.worker_requests'::regclass AND attname = 'target_version') THEN
                -- This file runs again after 00011.
                GRANT INSERT (workflow_id, execution_workflow_id, execution_run_id, target_version) ON public.worker_requests TO authenticated;
            END IF;
            CREATE POLICY workflow_worker_own ON public.worker_requests FOR SELECT TO authenticated
                USING (project_id IN (SELECT workflow_worker.own_projects()));
            DROP POLICY IF EXISTS workflow_worker_ask ON public.worker_requests;
            CREATE POLICY workflow_worker_ask ON public.worker_requests FOR INSERT TO authenticated
                WITH CHECK (project_id IN (SELECT workflow_worker.own_projects()) AND status = 'pending'
                    AND (requested_by IS NULL OR requested_by::text = (SELECT workflow_worker.current_user_id())
                         OR requested_by::text = (SELECT auth.uid())::text)); -- also 00014
        WHEN 'workflow_workers' THEN
            GRANT SELECT ON public.workflow_workers TO authenticated;
            CREATE POLICY workflow_worker_own ON public.workflow_workers FOR SELECT TO authenticated
                USING (project_id IN (SELECT workflow_worker.own_projects()));
        WHEN 'activity_statistics' THEN
            GRANT SELECT ON public.activity_statistics TO authenticated;
            CREATE POLICY workflow_worker_own ON public.activity_statistics FOR SELECT TO authenticated
                USING (project_id IN (SELECT workflow_worker.own_projects()));
        WHEN 'projects' THEN
            ALTER TABLE public.projects ALTER COLUMN created_by SET DEFAULT auth.uid();
            GRANT SELECT, INSERT, UPDATE, DELETE ON public.projects TO authenticated;
            CREATE POLICY workflow_worker_own ON public.projects FOR ALL TO authenticated
                USING (created_by = (SELECT workflow_worker.current_user_id())::uuid)
                WITH CHECK (created_by = (SELECT workflow_worker.current_user_id())::uuid);
        WHEN 'workflows' THEN
            GRANT SELECT, INSERT, UPDATE, DELETE ON public.workflows TO authenticated;
            CREATE POLICY workflow_worker_own ON public.workflows FOR ALL TO authenticated
                USING (project_id IN (SELECT workflow_worker.own_projects()))
                WITH CHECK (project_id IN (SELECT workflow_worker.own_projects()));
        WHEN 'workflow_compiled_code' THEN
            GRANT SELECT, INSERT, UPDATE, DELETE ON public.workflow_compiled_code TO authenticated;
            CREATE POLICY workflow_worker_own ON public.workflow_compiled_code FOR ALL TO authenticated
                USING (workflow_id IN (SELECT w.id FROM public.workflows w WHERE w.project_id IN (SELECT workflow_worker.own_projects())))
                WITH CHECK (workflow_id IN (SELECT w.id FROM public.workflows w WHERE w.project_id IN (SELECT workflow_worker.own_projects())));
        WHEN 'components' THEN
            GRANT SELECT, INSERT, UPDATE, DELETE ON public.components TO authenticated;
            CREATE POLICY workflow_worker_own ON public.components FOR ALL TO authenticated
                USING (project_id IN (SELECT workflow_worker.own_projects()))
                WITH CHECK (project_id IN (SELECT workflow_worker.own_projects()));
            -- Shared ones can be read, so that a definition can name them; the operator writes them.
            DROP POLICY IF EXISTS workflow_worker_shared ON public.components;
            CREATE POLICY workflow_worker_shared ON public.components FOR SELECT TO authenticated
                USING (project_id IS NULL);
        ELSE
            NULL;   -- internal: no rights, no policies
        END CASE;

        -- The backend's key works whoever ran this: default privileges are per role.
        IF t NOT IN ('workflow_code_store', 'workflow_live_code')
           AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO service_role', t);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd
