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

SET LOCAL lock_timeout = '4s';

-- A DELETE carries the replica identity and no more: by default the row's id, which
-- doesn't say whose row it was. components.project_id may be NULL, so that table
-- keeps its default.
--
-- PostgreSQL refuses the application's own UPDATE and DELETE when some publication's
-- column list lacks an identity column. So an identity that somebody chose (FULL, or
-- another index: Supabase Realtime, another consumer) stays, and so does the default
-- one where another publication's list would not cover ours. The service then looks
-- at all projects after a delete: slower, never wrong.
-- +goose StatementBegin
DO $$
DECLARE
    t      record;
    reason text;
BEGIN
    FOR t IN
        SELECT v.table_name, v.column_name, v.index_name, c.oid AS relid, c.relreplident
        FROM (VALUES ('workflows', 'project_id', 'workflows_replica_identity'),
                     ('workflow_compiled_code', 'workflow_id', 'workflow_compiled_code_replica_identity'))
             AS v (table_name, column_name, index_name)
        JOIN pg_class c ON c.oid = format('public.%I', v.table_name)::regclass
    LOOP
        SELECT CASE
            WHEN t.relreplident = 'f' THEN 'its replica identity is FULL'
            WHEN t.relreplident = 'i' AND NOT EXISTS (
                SELECT FROM pg_index WHERE indrelid = t.relid AND indisreplident
                  AND indexrelid = to_regclass(format('public.%I', t.index_name)))
                THEN 'another index is its replica identity'
            WHEN NOT (SELECT attnotnull FROM pg_attribute WHERE attrelid = t.relid AND attname = t.column_name)
                THEN format('%s may be NULL', t.column_name)
            WHEN EXISTS (
                SELECT FROM pg_publication_tables p
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
    t            record;
    columns      text;
    publications text[] := ARRAY[]::text[];
BEGIN
    FOR t IN
        SELECT v.table_name, v.wanted, c.oid AS relid, c.relreplident
        FROM (VALUES ('projects',               ARRAY['id']),
                     ('workflows',              ARRAY['id', 'project_id']),
                     ('workflow_compiled_code', ARRAY['id', 'workflow_id']),
                     ('components',             ARRAY['id', 'project_id'])) AS v (table_name, wanted)
        JOIN pg_class c ON c.oid = format('public.%I', v.table_name)::regclass
    LOOP
        -- The list has to cover the identity, whatever it is. FULL allows no list.
        columns := NULL;
        IF t.relreplident = 'f' THEN
            RAISE NOTICE '% is published with all its columns, because its replica identity is FULL', t.table_name;
        ELSE
            SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) INTO columns
            FROM pg_attribute a
            WHERE a.attrelid = t.relid AND a.attnum > 0 AND NOT a.attisdropped
              AND (a.attname = ANY (t.wanted)
                   OR EXISTS (SELECT FROM pg_index x
                              WHERE x.indrelid = t.relid AND a.attnum = ANY (x.indkey::int2[])
                                AND (x.indisreplident OR t.relreplident = 'd' AND x.indisprimary)));
        END IF;
        publications := publications || (format('public.%I', t.table_name) || coalesce(' (' || columns || ')', ''));
    END LOOP;

    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'workflow_worker') THEN
        CREATE PUBLICATION workflow_worker;
    END IF;
    EXECUTE 'ALTER PUBLICATION workflow_worker SET TABLE ' || array_to_string(publications, ', ');
    ALTER PUBLICATION workflow_worker SET (publish = 'insert, update, delete, truncate', publish_via_partition_root = true);

    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'workflow_worker_requests') THEN
        CREATE PUBLICATION workflow_worker_requests WITH (publish = 'insert');
    END IF;
    ALTER PUBLICATION workflow_worker_requests SET TABLE public.worker_requests (id, project_id);
    ALTER PUBLICATION workflow_worker_requests SET (publish = 'insert', publish_via_partition_root = true);
END
$$;
-- +goose StatementEnd

COMMENT ON PUBLICATION workflow_worker IS 'Keys of changed rows, for workflow-worker. Must cover the replica identities: extend with care.';
COMMENT ON PUBLICATION workflow_worker_requests IS 'Keys of new worker requests, for workflow-worker. Inserts only.';
