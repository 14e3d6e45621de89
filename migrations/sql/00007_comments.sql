-- +goose Up
-- What each table and column means, for whoever opens the database. A comment that
-- somebody else wrote stays.

SET LOCAL lock_timeout = '4s';

-- +goose StatementBegin
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT v.schema_name, v.table_name, v.column_name, v.comment,
               to_regclass(format('%I.%I', v.schema_name, v.table_name)) AS relid
        FROM (VALUES
            ('public', 'projects', NULL, 'A project: one task queue, one worker. Written by the Workflow Builder.'),
            ('public', 'projects', 'id', 'Key.'),
            ('public', 'projects', 'name', 'Name that people see.'),
            ('public', 'projects', 'description', 'Free text.'),
            ('public', 'projects', 'created_by', 'Owner. On Supabase a user of auth.users, or of a users table that points there.'),
            ('public', 'projects', 'task_queue_name', 'Temporal task queue of the project''s worker and of whoever starts its workflows. Changing it restarts the worker.'),
            ('public', 'projects', 'is_active', 'false: no worker runs for this project.'),
            ('public', 'projects', 'total_workflow_executions', 'Workflow executions counted so far. Reserved: the service doesn''t write it yet.'),
            ('public', 'projects', 'total_activity_executions', 'Activity executions counted so far. Reserved: the service doesn''t write it yet.'),
            ('public', 'projects', 'avg_execution_duration_ms', 'Mean duration of a workflow execution in milliseconds. Reserved: the service doesn''t write it yet.'),
            ('public', 'projects', 'last_execution_at', 'When an execution last ended. Reserved: the service doesn''t write it yet.'),
            ('public', 'projects', 'created_at', 'When the row was made.'),
            ('public', 'projects', 'updated_at', 'When the row last changed. Set by a trigger.'),

            ('public', 'workflows', NULL, 'A workflow of a project. Its code is in workflow_compiled_code. Written by the Workflow Builder.'),
            ('public', 'workflows', 'id', 'Key.'),
            ('public', 'workflows', 'project_id', 'Project whose worker serves it. May be changed: both projects'' workers follow.'),
            ('public', 'workflows', 'kebab_name', 'Workflow type that executions are started by, beside the names of the code''s exported functions.'),
            ('public', 'workflows', 'display_name', 'Name that people see.'),
            ('public', 'workflows', 'description', 'Free text.'),
            ('public', 'workflows', 'version', 'Version of the definition. The version that runs is that of the active row of workflow_compiled_code.'),
            ('public', 'workflows', 'definition', 'The Workflow Builder''s graph. Nodes (under nodes or graph.nodes) may carry data.componentId: the components that this workflow uses.'),
            ('public', 'workflows', 'is_active', 'false: not served.'),
            ('public', 'workflows', 'created_by', 'Author.'),
            ('public', 'workflows', 'created_at', 'When the row was made.'),
            ('public', 'workflows', 'updated_at', 'When the row last changed. Set by a trigger.'),

            ('public', 'workflow_compiled_code', NULL, 'Versions of a workflow''s TypeScript. The active one is what new executions run. Written by the Workflow Builder.'),
            ('public', 'workflow_compiled_code', 'id', 'Key.'),
            ('public', 'workflow_compiled_code', 'workflow_id', 'Workflow that this is the code of.'),
            ('public', 'workflow_compiled_code', 'version', 'Version, unique within the workflow. Shown with the worker; what counts is the text itself.'),
            ('public', 'workflow_compiled_code', 'workflow_code', 'TypeScript of the workflow. May be changed in place: new executions run the new text, running ones keep theirs.'),
            ('public', 'workflow_compiled_code', 'activities_code', 'TypeScript of activities; used for names that no component and no built-in activity has.'),
            ('public', 'workflow_compiled_code', 'worker_code', 'Written by the Workflow Builder''s compiler; not used by the service.'),
            ('public', 'workflow_compiled_code', 'package_json', 'Written by the Workflow Builder''s compiler; not used by the service.'),
            ('public', 'workflow_compiled_code', 'tsconfig_json', 'Written by the Workflow Builder''s compiler; not used by the service.'),
            ('public', 'workflow_compiled_code', 'is_active', 'true: this version is the workflow''s current code. Of several active ones the newest compiled_at counts.'),
            ('public', 'workflow_compiled_code', 'compiled_at', 'When the Workflow Builder compiled it.'),
            ('public', 'workflow_compiled_code', 'compiled_by', 'Who had it compiled.'),
            ('public', 'workflow_compiled_code', 'execution_count', 'Executions on this version. Reserved: the service doesn''t write it yet.'),
            ('public', 'workflow_compiled_code', 'error_count', 'Failed executions on this version. Reserved: the service doesn''t write it yet.'),
            ('public', 'workflow_compiled_code', 'avg_execution_duration_ms', 'Mean duration of an execution in milliseconds. Reserved: the service doesn''t write it yet.'),
            ('public', 'workflow_compiled_code', 'last_executed_at', 'When an execution on it last ended. Reserved: the service doesn''t write it yet.'),
            ('public', 'workflow_compiled_code', 'updated_at', 'When the row last changed. Set by a trigger.'),

            ('public', 'components', NULL, 'Custom activities in TypeScript. Written by the Workflow Builder.'),
            ('public', 'components', 'id', 'Key. Definitions name components by it.'),
            ('public', 'components', 'project_id', 'Project that it belongs to. NULL: shared, used by each project whose definitions name its id.'),
            ('public', 'components', 'name', 'Name of the activity, as workflow code calls it.'),
            ('public', 'components', 'display_name', 'Name that people see.'),
            ('public', 'components', 'description', 'Free text.'),
            ('public', 'components', 'version', 'Version. Shown with the worker.'),
            ('public', 'components', 'implementation_language', 'Language of implementation_code: typescript or javascript.'),
            ('public', 'components', 'implementation_code', 'The activity''s code. NULL: nothing to run, as for the built-in ones.'),
            ('public', 'components', 'is_active', 'false: not served.'),
            ('public', 'components', 'created_by', 'Author.'),
            ('public', 'components', 'created_at', 'When the row was made.'),
            ('public', 'components', 'updated_at', 'When the row last changed. Set by a trigger.'),

            ('public', 'worker_requests', NULL, 'Start, stop and restart of a project''s worker: insert a row, read its status. Finished by workflow-worker.'),
            ('public', 'worker_requests', 'id', 'Key.'),
            ('public', 'worker_requests', 'project_id', 'Project that it is about. No foreign key: a request outlives its project, so that it is answered.'),
            ('public', 'worker_requests', 'action', 'start, stop or restart. The newest request of a project also says whether it should run: after stop it stays stopped until start or restart.'),
            ('public', 'worker_requests', 'status', 'pending, then processing, then completed or failed.'),
            ('public', 'worker_requests', 'error', 'Why it failed.'),
            ('public', 'worker_requests', 'requested_by', 'Who asked, as projects name their owner.'),
            ('public', 'worker_requests', 'requested_at', 'When it was asked. Orders the requests of a project.'),
            ('public', 'worker_requests', 'started_at', 'When the service took it up.'),
            ('public', 'worker_requests', 'completed_at', 'When it was completed or failed.'),

            ('public', 'workflow_workers', NULL, 'What runs: one row per project and replica of the service. Written by workflow-worker.'),
            ('public', 'workflow_workers', 'id', 'Key.'),
            ('public', 'workflow_workers', 'worker_id', 'Names the worker: project and replica.'),
            ('public', 'workflow_workers', 'project_id', 'Project that it serves.'),
            ('public', 'workflow_workers', 'task_queue_name', 'Task queue that it polls.'),
            ('public', 'workflow_workers', 'status', 'starting, running, stopping, stopped, or failed (also: its replica stopped sending heartbeats).'),
            ('public', 'workflow_workers', 'host', 'Host of the replica.'),
            ('public', 'workflow_workers', 'port', 'Port of the replica''s health and metrics pages.'),
            ('public', 'workflow_workers', 'process_id', 'Process id of the replica on its host.'),
            ('public', 'workflow_workers', 'started_at', 'When it began to run.'),
            ('public', 'workflow_workers', 'stopped_at', 'When it stopped or failed. NULL while it runs.'),
            ('public', 'workflow_workers', 'last_heartbeat', 'When its replica last said that it is alive.'),
            ('public', 'workflow_workers', 'total_tasks_completed', 'Tasks done. Reserved: the service doesn''t write it yet.'),
            ('public', 'workflow_workers', 'total_tasks_failed', 'Tasks failed. Reserved: the service doesn''t write it yet.'),
            ('public', 'workflow_workers', 'avg_task_duration_ms', 'Mean duration of a task in milliseconds. Reserved: the service doesn''t write it yet.'),
            ('public', 'workflow_workers', 'cpu_usage_percent', 'Reserved: workers of a replica share one process, so there is no figure of one.'),
            ('public', 'workflow_workers', 'memory_usage_mb', 'Reserved: workers of a replica share one process, so there is no figure of one.'),
            ('public', 'workflow_workers', 'metadata', 'Per workflow and component: version and hash that are live, types served, error with position; and the last reload. The README shows an example.'),
            ('public', 'workflow_workers', 'created_at', 'When the row was made.'),
            ('public', 'workflow_workers', 'updated_at', 'When the row last changed. Set by a trigger.'),

            ('public', 'activity_statistics', NULL, 'Counts and durations per project and activity, over all replicas; written every heartbeat interval.'),
            ('public', 'activity_statistics', 'id', 'Key.'),
            ('public', 'activity_statistics', 'project_id', 'Project.'),
            ('public', 'activity_statistics', 'activity_name', 'Activity type.'),
            ('public', 'activity_statistics', 'execution_count', 'Executions that ended.'),
            ('public', 'activity_statistics', 'success_count', 'Of those: completed.'),
            ('public', 'activity_statistics', 'failure_count', 'Of those: failed.'),
            ('public', 'activity_statistics', 'avg_duration_ms', 'Mean duration in milliseconds.'),
            ('public', 'activity_statistics', 'p95_duration_ms', '95th percentile of the last thousand durations in milliseconds.'),
            ('public', 'activity_statistics', 'p99_duration_ms', '99th percentile of the last thousand durations in milliseconds.'),
            ('public', 'activity_statistics', 'last_executed_at', 'When an execution last ended.'),
            ('public', 'activity_statistics', 'created_at', 'When the row was made.'),
            ('public', 'activity_statistics', 'updated_at', 'When the row last changed. Set by a trigger.'),

            ('public', 'workflow_code_store', NULL, 'Text of all code that was ever live, by content. Running executions find the code they began with here: don''t delete rows by hand.'),
            ('public', 'workflow_code_store', 'project_id', 'Project. No foreign key: executions may outlive it.'),
            ('public', 'workflow_code_store', 'hash', 'Hash of the text. Executions carry it in their history.'),
            ('public', 'workflow_code_store', 'workflow_id', 'Workflow that it was the code of. NULL for components.'),
            ('public', 'workflow_code_store', 'kind', 'workflow or component.'),
            ('public', 'workflow_code_store', 'name', 'Name of the workflow or component when it was stored. For people.'),
            ('public', 'workflow_code_store', 'version', 'Version under which the text was stored first. For people.'),
            ('public', 'workflow_code_store', 'workflow_code', 'TypeScript of the workflow, or of the component.'),
            ('public', 'workflow_code_store', 'activities_code', 'TypeScript of the workflow''s own activities.'),
            ('public', 'workflow_code_store', 'created_at', 'When it was first live.'),
            ('public', 'workflow_code_store', 'last_used_at', 'When it was last known to be needed.'),

            ('public', 'workflow_live_code', NULL, 'Which code is live for each workflow and component: the last good one, also when the newest text is broken.'),
            ('public', 'workflow_live_code', 'project_id', 'Project.'),
            ('public', 'workflow_live_code', 'source_kind', 'workflow or component.'),
            ('public', 'workflow_live_code', 'source_id', 'Row of workflows or components.'),
            ('public', 'workflow_live_code', 'hash', 'Hash of the live text: a row of workflow_code_store.'),
            ('public', 'workflow_live_code', 'version', 'Version of the live text.'),
            ('public', 'workflow_live_code', 'since', 'Since when it is live.'),

            ('workflow_worker', 'contract_tables', NULL, 'Which of the tables were made by workflow-worker''s migrations, and which were here before.'),
            ('workflow_worker', 'contract_tables', 'table_name', 'Table in the schema public.'),
            ('workflow_worker', 'contract_tables', 'created_here', 'true: made by our migrations. false: somebody else''s, adopted.'),
            ('workflow_worker', 'contract_tables', 'noted_at', 'When the migrations first saw this database.'),

            ('workflow_worker', 'schema_version', NULL, 'Migrations that ran.'),
            ('workflow_worker', 'schema_version', 'id', 'Order in which they ran.'),
            ('workflow_worker', 'schema_version', 'version_id', 'Number of the file in migrations/sql.'),
            ('workflow_worker', 'schema_version', 'is_applied', 'Always true: there is no way back.'),
            ('workflow_worker', 'schema_version', 'tstamp', 'When it ran.')
        ) AS v (schema_name, table_name, column_name, comment)
    LOOP
        IF c.column_name IS NULL THEN
            IF c.relid IS NOT NULL AND obj_description(c.relid, 'pg_class') IS NULL THEN
                EXECUTE format('COMMENT ON TABLE %s IS %L', c.relid::regclass, c.comment);
            END IF;
        ELSIF EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = c.relid AND a.attname = c.column_name AND NOT a.attisdropped
                        AND col_description(a.attrelid, a.attnum) IS NULL) THEN
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', c.relid::regclass, c.column_name, c.comment);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd
