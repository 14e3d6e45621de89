-- +goose Up
-- How the service learns that rows changed. Two publications:
--
--   workflow_worker           projects (id), workflows (id, project_id),
--                             workflow_compiled_code (id, workflow_id),
--                             components (id, project_id): all changes
--   workflow_worker_requests  worker_requests (id, project_id): inserts only
--
-- Keys only: 64 KB code bodies don't travel. Tables that the service itself writes
-- are in neither, so that its own writes never come back as work; hence "inserts
-- only" for requests. A row filter would be no way to that: PostgreSQL then refuses
-- the application's own UPDATE.
--
-- With wal_level below "logical" this warns, and the service polls instead.
--
-- PostgreSQL refuses the application's own UPDATE and DELETE of a published table
-- whose replica identity the publication doesn't carry. So a table for which no
-- publication of ours can is left out, with a warning that says why, and the service
-- polls. That comes before everything else here.

SET LOCAL lock_timeout = '4s';

-- A DELETE carries the replica identity and no more: by default the row's id, which
-- doesn't say whose row it was. components.project_id may be NULL, so that table
-- keeps its default.
--
-- An identity that somebody chose (FULL, or another index: Supabase Realtime, another
-- consumer) stays, and so does the default one where another publication's list would
-- not cover ours, or ours couldn't: before PostgreSQL 18 no list takes a generated
-- column. The service then looks at all projects after a delete: slower, never wrong.
-- +goose StatementBegin
DO $$
DECLARE
    t      record;
    reason text;
BEGIN
    FOR t IN
        SELECT v.table_name, v.column_name, v.index_name, c.oid AS relid, c.relreplident, a.attnotnull, a.attgenerated
        FROM (VALUES ('workflows', 'project_id', 'workflows_replica_identity'),
                     ('workflow_compiled_code', 'workflow_id', 'workflow_compiled_code_replica_identity'))
             AS v (table_name, column_name, index_name)
        JOIN pg_catalog.pg_class c ON c.oid = format('public.%I', v.table_name)::regclass
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = v.column_name
    LOOP
        SELECT CASE
            WHEN t.relreplident = 'f' THEN 'its replica identity is FULL'
            WHEN t.relreplident = 'i' AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_index WHERE indrelid = t.relid AND indisreplident
                  AND indexrelid = to_regclass(format('public.%I', t.index_name)))
                THEN 'another index is its replica identity'
            WHEN NOT t.attnotnull
                THEN format('%s may be NULL', t.column_name)
            WHEN t.attgenerated <> '' AND current_setting('server_version_num')::int < 180000
                THEN format('%s is generated', t.column_name)
            WHEN EXISTS (
                SELECT FROM pg_catalog.pg_publication_tables p
                WHERE p.schemaname = 'public' AND p.tablename = t.table_name
                  AND p.pubname <> 'workflow_worker' AND NOT p.attnames @> ARRAY[t.column_name::name])
                THEN format('another publication leaves %s out', t.column_name)
        END INTO reason;

        IF reason IS NULL THEN
            EXECUTE format('ALTER TABLE public.%I REPLICA IDENTITY USING INDEX %I', t.table_name, t.index_name);
        ELSE
            RAISE NOTICE 'replica identity of % stays as it is: %', t.table_name, reason;
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    -- From 18 on a publication can carry generated columns, those that are stored.
    carries_generated CONSTANT boolean := current_setting('server_version_num')::int >= 180000;
    t         record;
    item      text;
    full_list text[] := ARRAY[]::text[];    -- of workflow_worker
    requests  text[] := ARRAY[]::text[];    -- of workflow_worker_requests
    reason    text;
    columns   text;
BEGIN
    FOR t IN
        WITH contract (n, table_name, wanted, inserts_only) AS (
            VALUES (1, 'projects',               ARRAY['id'], false),
                   (2, 'workflows',              ARRAY['id', 'project_id'], false),
                   (3, 'workflow_compiled_code', ARRAY['id', 'workflow_id'], false),
                   (4, 'components',             ARRAY['id', 'project_id'], false),
                   (5, 'worker_requests',        ARRAY['id', 'project_id'], true)
        ),
        -- A partitioned table is published as itself, but each partition's own
        -- identity has to be carried.
        part AS (
            SELECT c.table_name, p.relid, r.relreplident, r.relpersistence
            FROM contract c
            CROSS JOIN LATERAL (
                SELECT relid::oid FROM pg_catalog.pg_partition_tree(format('public.%I', c.table_name)::regclass)
                UNION SELECT format('public.%I', c.table_name)::regclass::oid) AS p (relid)
            JOIN pg_catalog.pg_class r ON r.oid = p.relid
        ),
        identity AS (   -- the columns of the identity's index
            SELECT p.table_name, p.relid, a.attname, a.attgenerated
            FROM part p
            JOIN pg_catalog.pg_index x ON x.indrelid = p.relid AND x.indisvalid AND x.indimmediate
              AND (p.relreplident = 'i' AND x.indisreplident OR p.relreplident = 'd' AND x.indisprimary)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = p.relid AND a.attnum = ANY (x.indkey::int2[])
        )
        SELECT c.table_name, c.inserts_only,
               coalesce(bool_or(p.relpersistence <> 'p'), false) AS not_logged,
               bool_or(p.relreplident = 'f') AS is_full,
               bool_or(p.relreplident <> 'f' AND NOT EXISTS (SELECT FROM identity i WHERE i.relid = p.relid)) AS is_nothing,
               EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN part q ON q.relid = a.attrelid
                       WHERE q.table_name = c.table_name AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = 'v') AS has_virtual,
               -- What a list has to name and cannot.
               EXISTS (SELECT FROM pg_catalog.pg_attribute a
                       WHERE a.attrelid = format('public.%I', c.table_name)::regclass AND a.attname = ANY (c.wanted)
                         AND (a.attgenerated = 'v' OR a.attgenerated = 's' AND NOT carries_generated))
               OR NOT c.inserts_only AND EXISTS (SELECT FROM identity i WHERE i.table_name = c.table_name
                         AND i.attgenerated = 's' AND NOT carries_generated) AS unlistable,
               (SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = format('public.%I', c.table_name)::regclass AND a.attnum > 0 AND NOT a.attisdropped
                  AND (a.attname = ANY (c.wanted) OR NOT c.inserts_only AND a.attname IN
                       (SELECT i.attname FROM identity i WHERE i.table_name = c.table_name))) AS listed
        FROM contract c JOIN part p USING (table_name)
        GROUP BY c.n, c.table_name, c.wanted, c.inserts_only
        ORDER BY c.n
    LOOP
        reason := CASE
            WHEN t.not_logged THEN 'it is not logged'
            WHEN t.inserts_only THEN NULL
            WHEN t.is_nothing THEN 'it has no replica identity (REPLICA IDENTITY NOTHING, or its index is gone or deferrable)'
            -- FULL means every column, and a virtual one is in no publication.
            WHEN t.is_full AND t.has_virtual AND carries_generated THEN 'its replica identity is FULL and it has a virtual generated column'
        END;
        IF reason IS NOT NULL THEN
            RAISE WARNING '% is not published, because %: the service polls for changes', t.table_name, reason;
            CONTINUE;
        END IF;
        columns := ' (' || t.listed || ')';
        IF t.is_full AND NOT t.inserts_only THEN
            RAISE NOTICE '% is published with all its columns, because its replica identity is FULL', t.table_name;
            columns := '';  -- FULL allows no list
        ELSIF t.unlistable THEN
            RAISE NOTICE '% is published with all its columns, because a column list can''t name a generated column that it needs', t.table_name;
            columns := '';
        END IF;
        item := format('public.%I', t.table_name) || columns;
        IF t.inserts_only THEN
            requests := requests || item;
        ELSE
            full_list := full_list || item;
        END IF;
    END LOOP;

    -- The operations come before the tables, and the tables all at once.
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = 'workflow_worker') THEN
        CREATE PUBLICATION workflow_worker;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_publication WHERE pubname = 'workflow_worker_requests') THEN
        CREATE PUBLICATION workflow_worker_requests WITH (publish = 'insert');
    END IF;
    ALTER PUBLICATION workflow_worker SET (publish = 'insert, update, delete, truncate', publish_via_partition_root = true);
    ALTER PUBLICATION workflow_worker_requests SET (publish = 'insert', publish_via_partition_root = true);
    IF carries_generated THEN
        -- For tables without a list; the lists name theirs.
        EXECUTE 'ALTER PUBLICATION workflow_worker SET (publish_generated_columns = stored)';
        EXECUTE 'ALTER PUBLICATION workflow_worker_requests SET (publish_generated_columns = stored)';
    END IF;
    IF cardinality(full_list) > 0 THEN
        EXECUTE 'ALTER PUBLICATION workflow_worker SET TABLE ' || array_to_string(full_list, ', ');
    ELSE
        DROP PUBLICATION workflow_worker;
        CREATE PUBLICATION workflow_worker;
    END IF;
    IF cardinality(requests) > 0 THEN
        EXECUTE 'ALTER PUBLICATION workflow_worker_requests SET TABLE ' || array_to_string(requests, ', ');
    ELSE
        DROP PUBLICATION workflow_worker_requests;
        CREATE PUBLICATION workflow_worker_requests WITH (publish = 'insert');
    END IF;
END
$$;
-- +goose StatementEnd

COMMENT ON PUBLICATION workflow_worker IS 'Keys of changed rows, for workflow-worker. Must cover the replica identities: extend with care.';
COMMENT ON PUBLICATION workflow_worker_requests IS 'Keys of new worker requests, for workflow-worker. Inserts only.';
