-- One row per thing that the migrations made and that is gone: whether it is a table,
-- and what it is. A table that isn't published, for whatever reason, is among them:
-- the file that publishes says each time why it leaves one out.
WITH wanted (publication, table_name, columns, inserts_only) AS (
    VALUES ('workflow_worker', 'projects', ARRAY['id'], false),
           ('workflow_worker', 'workflows', ARRAY['id', 'project_id'], false),
           ('workflow_worker', 'workflow_compiled_code', ARRAY['id', 'workflow_id'], false),
           ('workflow_worker', 'components', ARRAY['id', 'project_id'], false),
           ('workflow_worker_requests', 'worker_requests', ARRAY['id', 'project_id'], true)
),
tables (name) AS (
    SELECT table_name FROM wanted
    UNION VALUES ('workflow_workers'), ('activity_statistics'), ('workflow_code_store'), ('workflow_live_code'), ('worker_events'),
                 ('workflow_package_bundles'), ('workflow_execution_moves'), ('workflow_execution_stays'), ('workflow_live_periods'),
                 ('workflow_executions'), ('workflow_execution_requests'), ('component_executions'), ('workflow_replicas'), ('workflow_quarantine'), ('workflow_quarantined_executions'), ('workflow_statistics'), ('project_statistics')
)
SELECT true, 'table public.' || name FROM tables WHERE to_regclass('public.' || name) IS NULL
UNION ALL
SELECT false, format('public.%s in publication %s', w.table_name, w.publication) FROM wanted w
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_tables t USING (pubname)
    WHERE p.pubname = w.publication AND t.schemaname = 'public' AND t.tablename = w.table_name
      AND t.attnames::text[] @> w.columns AND t.rowfilter IS NULL
      AND p.pubinsert AND (w.inserts_only OR p.pubupdate AND p.pubdelete AND p.pubtruncate))
