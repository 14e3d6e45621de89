-- One row per problem that the migrations would meet: what is wrong, what to do.
WITH contract (table_name, required) AS (
    -- Columns that can't be invented when a table exists: without them it isn't the
    -- Workflow Builder's table, or one of a version too old.
    VALUES ('projects', ARRAY['id', 'name', 'task_queue_name']),
           ('workflows', ARRAY['id', 'project_id', 'kebab_name', 'definition']),
           ('workflow_compiled_code', ARRAY['id', 'workflow_id', 'version', 'workflow_code', 'activities_code', 'is_active', 'compiled_at']),
           ('components', ARRAY['id', 'name']),
           ('worker_requests', ARRAY['id', 'project_id', 'action', 'status']),
           ('workflow_workers', ARRAY['worker_id', 'project_id', 'task_queue_name', 'status']),
           ('activity_statistics', ARRAY['project_id', 'activity_name', 'execution_count']),
           ('workflow_code_store', ARRAY['project_id', 'hash', 'workflow_code']),
           ('workflow_live_code', ARRAY['project_id', 'source_kind', 'source_id', 'hash']),
           ('workflow_executions', ARRAY['id', 'workflow_id', 'status']),
           ('workflow_execution_requests', ARRAY['id', 'execution_id', 'action', 'status']),
           ('component_executions', ARRAY['id', 'workflow_execution_id', 'status']),
           ('workflow_statistics', ARRAY['workflow_id']),
           ('project_statistics', ARRAY['project_id'])
),
relation AS (
    SELECT c.table_name, c.required, r.oid, r.relkind, r.relowner, pg_get_userbyid(r.relowner) AS owner
    FROM contract c
    JOIN pg_class r ON r.relname = c.table_name AND r.relnamespace = 'public'::regnamespace
),
problem (rank, text) AS (
    SELECT 1, format('PostgreSQL %s is too old: publications with column lists need version 15.', current_setting('server_version'))
    WHERE current_setting('server_version_num')::int < 150000

    UNION ALL
    SELECT 1, 'This server is a read-only standby: connect to the primary.'
    WHERE pg_is_in_recovery()

    UNION ALL
    SELECT 2, format('Role %I may not create a schema and publications in database %I: GRANT CREATE ON DATABASE %I TO %I, or run as the database''s owner.',
                     current_user, current_database(), current_database(), current_user)
    WHERE NOT has_database_privilege(current_database(), 'CREATE')

    UNION ALL
    SELECT 2, format('Role %I may not use schema workflow_worker: run as its owner %I, or GRANT %I TO %I.',
                     current_user, pg_get_userbyid(nspowner), pg_get_userbyid(nspowner), current_user)
    FROM pg_namespace WHERE nspname = 'workflow_worker' AND NOT pg_has_role(nspowner, 'USAGE')

    UNION ALL
    SELECT 3, format('Role %I may not create tables in schema public: GRANT USAGE, CREATE ON SCHEMA public TO %I.', current_user, current_user)
    WHERE NOT (has_schema_privilege('public', 'CREATE') AND has_schema_privilege('public', 'USAGE'))
      AND EXISTS (SELECT FROM contract c WHERE NOT EXISTS (SELECT FROM relation r WHERE r.table_name = c.table_name))

    UNION ALL
    SELECT 4, format('public.%I exists, but is not a table.', table_name)
    FROM relation WHERE relkind NOT IN ('r', 'p')

    UNION ALL
    SELECT 5, format('Role %I may not alter table public.%I, which belongs to %I: run as %I, or GRANT %I TO %I.',
                     current_user, table_name, owner, owner, owner, current_user)
    FROM relation WHERE NOT pg_has_role(relowner, 'USAGE')

    UNION ALL
    SELECT 6, format('public.%I exists, but has no column %s: is it the Workflow Builder''s table, and are its migrations up to date?',
                     r.table_name, string_agg(quote_ident(c.name), ', ' ORDER BY c.n))
    FROM relation r, unnest(r.required) WITH ORDINALITY AS c (name, n)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attname = c.name AND NOT a.attisdropped)
    GROUP BY r.table_name

    UNION ALL
    SELECT 7, format('public.%I.%I is of type %s, workflow-worker needs uuid.', r.table_name, a.attname, format_type(a.atttypid, a.atttypmod))
    FROM relation r
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attname IN ('id', 'project_id', 'workflow_id', 'workflow_execution_id') AND NOT a.attisdropped
    WHERE a.atttypid <> 'uuid'::regtype
      AND (r.table_name, a.attname) NOT IN (('workflow_workers', 'id'), ('activity_statistics', 'id'), ('workflow_statistics', 'id'), ('project_statistics', 'id'))

    UNION ALL
    SELECT 7, format('public.%I has no primary key on id: ALTER TABLE public.%I ADD PRIMARY KEY (id).', r.table_name, r.table_name)
    FROM relation r
    WHERE r.table_name IN ('projects', 'workflows', 'workflow_compiled_code', 'components', 'worker_requests', 'workflow_executions', 'component_executions')
      AND NOT EXISTS (SELECT FROM pg_index x
                      JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
                      WHERE x.indrelid = r.oid AND x.indisprimary AND x.indnkeyatts = 1 AND a.attname = 'id')

    UNION ALL
    SELECT 8, format('Publication %I belongs to %I: run as %I, or GRANT %I TO %I.', pubname, pg_get_userbyid(pubowner),
                     pg_get_userbyid(pubowner), pg_get_userbyid(pubowner), current_user)
    FROM pg_publication WHERE pubname IN ('workflow_worker', 'workflow_worker_requests') AND NOT pg_has_role(pubowner, 'USAGE')
)
SELECT text FROM problem ORDER BY rank, text
