-- +goose Up
-- What executions add up to: workflow_statistics, project_statistics, and the totals on
-- projects, workflow_compiled_code and workflow_workers.
--
-- The end of an execution is noted in the transaction that writes it, whoever writes it,
-- and what was noted is added up every few seconds: once, whatever dies in between, and
-- without anybody waiting for a lock on the rows that people write.

SET LOCAL lock_timeout = '4s';

INSERT INTO workflow_worker.contract_tables (table_name, created_here)
SELECT name, to_regclass(format('public.%I', name)) IS NULL
FROM unnest(ARRAY['workflow_statistics', 'project_statistics']) AS t (name)
ON CONFLICT (table_name) DO NOTHING;

CREATE TABLE IF NOT EXISTS public.workflow_statistics (
    id                        uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id               uuid        NOT NULL UNIQUE,
    total_runs                integer              DEFAULT 0,
    successful_runs           integer              DEFAULT 0,
    failed_runs               integer              DEFAULT 0,
    avg_duration_ms           integer,
    min_duration_ms           integer,
    max_duration_ms           integer,
    most_used_component_id    uuid,
    most_used_component_count integer              DEFAULT 0,
    total_errors              integer              DEFAULT 0,
    last_error_at             timestamptz,
    last_run_at               timestamptz,
    updated_at                timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE public.workflow_statistics
    ADD COLUMN IF NOT EXISTS total_runs                integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS successful_runs           integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS failed_runs               integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS avg_duration_ms           integer,
    ADD COLUMN IF NOT EXISTS min_duration_ms           integer,
    ADD COLUMN IF NOT EXISTS max_duration_ms           integer,
    ADD COLUMN IF NOT EXISTS most_used_component_id    uuid,
    ADD COLUMN IF NOT EXISTS most_used_component_count integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS total_errors              integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS last_error_at             timestamptz,
    ADD COLUMN IF NOT EXISTS last_run_at               timestamptz,
    ADD COLUMN IF NOT EXISTS updated_at                timestamptz NOT NULL DEFAULT now(),
    -- Ours: a mean can't be added to without drifting, its sum can.
    ADD COLUMN IF NOT EXISTS total_duration_ms         bigint;

CREATE TABLE IF NOT EXISTS public.project_statistics (
    id                         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id                 uuid        NOT NULL UNIQUE,
    most_used_workflow_id      uuid,
    most_used_workflow_count   integer              DEFAULT 0,
    most_used_component_id     uuid,
    most_used_component_count  integer              DEFAULT 0,
    most_used_task_queue_id    uuid,
    most_used_task_queue_count integer              DEFAULT 0,
    total_executions           integer              DEFAULT 0,
    longest_run_duration_ms    integer,
    longest_run_workflow_id    uuid,
    total_failures             integer              DEFAULT 0,
    last_failure_at            timestamptz,
    last_execution_at          timestamptz,
    updated_at                 timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE public.project_statistics
    ADD COLUMN IF NOT EXISTS most_used_workflow_id      uuid,
    ADD COLUMN IF NOT EXISTS most_used_workflow_count   integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS most_used_component_id     uuid,
    ADD COLUMN IF NOT EXISTS most_used_component_count  integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS most_used_task_queue_id    uuid,
    ADD COLUMN IF NOT EXISTS most_used_task_queue_count integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS total_executions           integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS longest_run_duration_ms    integer,
    ADD COLUMN IF NOT EXISTS longest_run_workflow_id    uuid,
    ADD COLUMN IF NOT EXISTS total_failures             integer DEFAULT 0,
    ADD COLUMN IF NOT EXISTS last_failure_at            timestamptz,
    ADD COLUMN IF NOT EXISTS last_execution_at          timestamptz,
    ADD COLUMN IF NOT EXISTS updated_at                 timestamptz NOT NULL DEFAULT now();

ALTER TABLE public.projects
    ADD COLUMN IF NOT EXISTS total_execution_duration_ms bigint;
ALTER TABLE public.workflow_compiled_code
    ADD COLUMN IF NOT EXISTS total_execution_duration_ms bigint;
ALTER TABLE public.workflow_workers
    ADD COLUMN IF NOT EXISTS total_task_duration_ms bigint;

-- +goose StatementBegin
DO $$
DECLARE
    c        record;
    created  boolean;
    -- A table that is not logged can't be referred to.
    referred boolean := (SELECT bool_and(relpersistence = 'p') FROM pg_class
                         WHERE oid IN ('public.projects'::regclass, 'public.workflows'::regclass, 'public.components'::regclass));
BEGIN
    FOR c IN SELECT * FROM (VALUES ('workflow_statistics', 'workflow_id', 'workflows', 'CASCADE'),
                                   ('workflow_statistics', 'most_used_component_id', 'components', 'SET NULL'),
                                   ('project_statistics', 'project_id', 'projects', 'CASCADE'),
                                   ('project_statistics', 'most_used_workflow_id', 'workflows', 'SET NULL'),
                                   ('project_statistics', 'most_used_component_id', 'components', 'SET NULL'),
                                   ('project_statistics', 'longest_run_workflow_id', 'workflows', 'SET NULL'))
                           AS v (table_name, column_name, referenced, action)
    LOOP
        created := (SELECT created_here FROM workflow_worker.contract_tables t WHERE t.table_name = c.table_name);
        IF created AND referred AND NOT EXISTS (
            SELECT FROM pg_constraint x JOIN pg_attribute a ON a.attrelid = x.conrelid AND x.conkey = ARRAY[a.attnum]
            WHERE x.conrelid = format('public.%I', c.table_name)::regclass AND x.contype = 'f' AND a.attname = c.column_name) THEN
            EXECUTE format('ALTER TABLE public.%I ADD FOREIGN KEY (%I) REFERENCES public.%I (id) ON DELETE %s',
                c.table_name, c.column_name, c.referenced, c.action);
        END IF;
    END LOOP;

    -- What says which workflow or component was used most mustn't keep its owner from
    -- deleting it. Nobody wrote these columns before.
    FOR c IN
        SELECT x.conname, x.conrelid::regclass AS from_table, a.attname AS column_name, x.confrelid::regclass AS to_table, ra.attname AS to_column
        FROM pg_constraint x
        JOIN pg_attribute a ON a.attrelid = x.conrelid AND x.conkey = ARRAY[a.attnum]
        JOIN pg_attribute ra ON ra.attrelid = x.confrelid AND x.confkey = ARRAY[ra.attnum]
        WHERE x.conrelid IN ('public.workflow_statistics'::regclass, 'public.project_statistics'::regclass)
          AND x.contype = 'f' AND x.confdeltype IN ('a', 'r')
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.from_table, c.conname);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %s (%I) ON DELETE %s', c.from_table, c.conname,
            c.column_name, c.to_table, c.to_column, CASE WHEN c.column_name IN ('workflow_id', 'project_id') THEN 'CASCADE' ELSE 'SET NULL' END);
        RAISE NOTICE 'foreign key "%" of % lets go of what is deleted now', c.conname, c.from_table;
    END LOOP;

    FOR c IN SELECT * FROM (VALUES ('workflow_statistics', 'workflow_id'), ('project_statistics', 'project_id')) AS v (table_name, column_name)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
                       WHERE x.indrelid = format('public.%I', c.table_name)::regclass AND x.indisunique AND x.indpred IS NULL
                         AND x.indnkeyatts = 1 AND a.attname = c.column_name) THEN
            EXECUTE format('CREATE UNIQUE INDEX %I ON public.%I (%I)', 'workflow_worker_' || c.table_name, c.table_name, c.column_name);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

CREATE OR REPLACE TRIGGER workflow_worker_updated_at BEFORE UPDATE ON public.workflow_statistics
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.touch_updated_at();
CREATE OR REPLACE TRIGGER workflow_worker_updated_at BEFORE UPDATE ON public.project_statistics
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.touch_updated_at();

-- What has ended and isn't added up yet. One that ends, or says something else of its
-- end, adds; one that goes on after all (a reset) is taken away again, until its new end.
CREATE TABLE IF NOT EXISTS workflow_worker.uncounted (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id      uuid,
    workflow_id     uuid,
    -- Of an execution:
    execution_id    uuid,
    executions      integer,
    status          text,
    code_version    text,
    code_id         uuid,
    duration_ms     bigint,
    ended_at        timestamptz,
    -- of a component:
    component_id    uuid,
    uses            bigint,
    -- of a worker:
    worker_id       text,
    tasks_completed bigint,
    tasks_failed    bigint
);

-- How often components were used, to know which was most.
CREATE TABLE IF NOT EXISTS workflow_worker.component_uses (
    workflow_id  uuid   NOT NULL,
    component_id uuid   NOT NULL,
    uses         bigint NOT NULL,
    PRIMARY KEY (workflow_id, component_id)
);

-- The totals are in rows that say what should run. Of a row that only counts were added
-- to since, this has the version that somebody else wrote last: it needn't be read again.
CREATE TABLE IF NOT EXISTS workflow_worker.counted_versions (
    row_id     uuid PRIMARY KEY,
    version    text NOT NULL,
    stands_for text NOT NULL
);

-- The end of an execution ------------------------------------------------------------

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION workflow_worker.note_end() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.temporal_run_id IS NOT NULL AND OLD.status::text IN ('completed', 'failed', 'cancelled') THEN
        INSERT INTO workflow_worker.uncounted (workflow_id, execution_id, executions, status, code_version, duration_ms, ended_at)
        VALUES (OLD.workflow_id, OLD.id, -1, OLD.status, OLD.code_version,
            coalesce(OLD.duration_ms, extract(epoch FROM OLD.completed_at - OLD.started_at) * 1000), OLD.completed_at);
    END IF;
    IF NEW.temporal_run_id IS NOT NULL AND NEW.status::text IN ('completed', 'failed', 'cancelled') THEN
        INSERT INTO workflow_worker.uncounted (workflow_id, execution_id, executions, status, code_version, duration_ms, ended_at)
        VALUES (NEW.workflow_id, NEW.id, 1, NEW.status, NEW.code_version,
            coalesce(NEW.duration_ms, extract(epoch FROM NEW.completed_at - NEW.started_at) * 1000), NEW.completed_at);
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- A row without a run never ran: it was refused, cancelled before, or failed to compile.
CREATE OR REPLACE TRIGGER workflow_worker_note_end_inserted AFTER INSERT ON public.workflow_executions
    FOR EACH ROW WHEN (NEW.first_run_id IS NOT NULL AND NEW.temporal_run_id IS NOT NULL AND NEW.status IN ('completed', 'failed', 'cancelled'))
    EXECUTE FUNCTION workflow_worker.note_end();
CREATE OR REPLACE TRIGGER workflow_worker_note_end_updated
    AFTER UPDATE OF workflow_id, temporal_run_id, status, started_at, completed_at, duration_ms, code_version ON public.workflow_executions
    FOR EACH ROW WHEN ((NEW.temporal_run_id IS NOT NULL AND NEW.status IN ('completed', 'failed', 'cancelled')
                        OR OLD.temporal_run_id IS NOT NULL AND OLD.status IN ('completed', 'failed', 'cancelled'))
        AND (NEW.status, NEW.temporal_run_id IS NULL, NEW.workflow_id, NEW.started_at, NEW.completed_at, NEW.duration_ms, NEW.code_version)
            IS DISTINCT FROM (OLD.status, OLD.temporal_run_id IS NULL, OLD.workflow_id, OLD.started_at, OLD.completed_at, OLD.duration_ms, OLD.code_version))
    EXECUTE FUNCTION workflow_worker.note_end();

-- The steps of a run, once they are right. One that was over and is reset is noted a
-- second time; its steps were counted.
ALTER TABLE workflow_worker.steps_due
    ADD COLUMN IF NOT EXISTS counted boolean NOT NULL DEFAULT false;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION workflow_worker.note_steps_due() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.temporal_run_id IS DISTINCT FROM NEW.temporal_run_id AND OLD.temporal_run_id IS NOT NULL THEN
        INSERT INTO workflow_worker.steps_due (execution_id, run_id, next_run_id, counted)
        VALUES (NEW.id, OLD.temporal_run_id, NEW.temporal_run_id, OLD.status::text IN ('completed', 'failed', 'cancelled'))
        ON CONFLICT (execution_id, run_id) DO UPDATE SET next_run_id = EXCLUDED.next_run_id, leased_until = NULL;
    END IF;
    IF NEW.temporal_run_id IS NOT NULL AND NEW.status::text IN ('completed', 'failed', 'cancelled') THEN
        INSERT INTO workflow_worker.steps_due (execution_id, run_id, next_run_id)
        VALUES (NEW.id, NEW.temporal_run_id, '')
        ON CONFLICT (execution_id, run_id) DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION workflow_worker.note_uses() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $$
BEGIN
    INSERT INTO workflow_worker.uncounted (workflow_id, component_id, uses)
    SELECT e.workflow_id, c.component_id, count(*)
    FROM settled s
    JOIN public.component_executions c ON c.workflow_execution_id = s.execution_id AND c.run_id = s.run_id
    JOIN public.workflow_executions e ON e.id = s.execution_id
    WHERE NOT s.counted AND c.component_id IS NOT NULL
    GROUP BY e.workflow_id, c.component_id;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER workflow_worker_note_uses AFTER DELETE ON workflow_worker.steps_due
    REFERENCING OLD TABLE AS settled
    FOR EACH STATEMENT EXECUTE FUNCTION workflow_worker.note_uses();

-- Others who count -------------------------------------------------------------------

-- The Workflow Builder's server calls functions of its own when an execution of its ends
-- (increment_project_stats, increment_code_stats). Each adds one to what is counted here
-- already. Whoever adds one, and isn't us, changes none of these columns.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION workflow_worker.keep_totals() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    IF TG_ARGV[0] = 'edited' THEN
        NEW.updated_at := OLD.updated_at;
        RETURN NEW;
    END IF;
    IF TG_TABLE_NAME = 'projects' THEN
        NEW.total_workflow_executions := OLD.total_workflow_executions;
        NEW.last_execution_at := OLD.last_execution_at;
    ELSE
        NEW.execution_count := OLD.execution_count;
        NEW.error_count := OLD.error_count;
        NEW.last_executed_at := OLD.last_executed_at;
    END IF;
    NEW.avg_execution_duration_ms := OLD.avg_execution_duration_ms;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER workflow_worker_keep_totals BEFORE UPDATE OF total_workflow_executions ON public.projects
    FOR EACH ROW WHEN (NEW.total_workflow_executions = OLD.total_workflow_executions + 1
                       AND current_setting('workflow_worker.counting', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION workflow_worker.keep_totals();
CREATE OR REPLACE TRIGGER workflow_worker_keep_totals BEFORE UPDATE OF execution_count ON public.workflow_compiled_code
    FOR EACH ROW WHEN (NEW.execution_count = OLD.execution_count + 1
                       AND current_setting('workflow_worker.counting', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION workflow_worker.keep_totals();

-- When code was last edited, not when it was last counted: after workflow_worker_updated_at.
CREATE OR REPLACE TRIGGER workflow_worker_updated_at_kept BEFORE UPDATE OF execution_count ON public.workflow_compiled_code
    FOR EACH ROW WHEN (current_setting('workflow_worker.counting', true) = 'on')
    EXECUTE FUNCTION workflow_worker.keep_totals('edited');

-- Adding up --------------------------------------------------------------------------

-- The code that an execution counts for: of its version, else what is active now.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION workflow_worker.counted_code(workflow uuid, code_version text) RETURNS uuid
    LANGUAGE sql STABLE
    SET search_path = ''
AS $$
    SELECT coalesce(
        (SELECT c.id FROM public.workflow_compiled_code AS c WHERE c.workflow_id = $1 AND c.version = $2
         ORDER BY c.is_active DESC, c.compiled_at DESC, c.id DESC LIMIT 1),
        (SELECT c.id FROM public.workflow_compiled_code AS c WHERE c.workflow_id = $1 AND c.is_active
         ORDER BY c.compiled_at DESC, c.id DESC LIMIT 1))
$$;

-- Adds up what was noted, at most so many, and says how many. Rows of people's that somebody
-- has a lock on are left for the next time: it waits for nobody who may wait for it. All in
-- one transaction with the notes' removal: nothing is lost, and nothing counts twice.
CREATE OR REPLACE FUNCTION workflow_worker.count_up(most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = '' SET lock_timeout = '2s'
AS $$
DECLARE
    locked_projects uuid[];
    locked_code     uuid[];
    locked_workers  text[];
    taken           workflow_worker.uncounted[];
    touched         uuid[]; -- workflows
BEGIN
    IF NOT EXISTS (SELECT FROM workflow_worker.uncounted) THEN
        RETURN 0;
    END IF;
    SELECT array_agg(l.id) INTO locked_projects FROM (
        SELECT p.id FROM public.projects p
        WHERE p.id IN (SELECT w.project_id FROM workflow_worker.uncounted u JOIN public.workflows w ON w.id = u.workflow_id
                       UNION SELECT u.project_id FROM workflow_worker.uncounted u WHERE u.project_id IS NOT NULL)
        ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED) l;
    SELECT array_agg(l.id) INTO locked_code FROM (
        SELECT c.id FROM public.workflow_compiled_code c
        WHERE c.id IN (SELECT workflow_worker.counted_code(u.workflow_id, u.code_version)
                       FROM (SELECT DISTINCT workflow_id, code_version FROM workflow_worker.uncounted WHERE executions IS NOT NULL) u)
        ORDER BY c.id FOR NO KEY UPDATE SKIP LOCKED) l;
    SELECT array_agg(l.worker_id) INTO locked_workers FROM (
        SELECT w.worker_id::text AS worker_id FROM public.workflow_workers w
        WHERE w.worker_id::text IN (SELECT u.worker_id FROM workflow_worker.uncounted u WHERE u.worker_id IS NOT NULL)
        ORDER BY w.worker_id FOR NO KEY UPDATE SKIP LOCKED) l;

    WITH found AS (
        SELECT u.id, p.id AS project_id, c.id AS code_id
        FROM workflow_worker.uncounted u
        LEFT JOIN public.workflows w ON w.id = u.workflow_id
        LEFT JOIN public.projects p ON p.id = coalesce(w.project_id, u.project_id)
        LEFT JOIN LATERAL (SELECT workflow_worker.counted_code(u.workflow_id, u.code_version) AS id WHERE u.executions IS NOT NULL) c ON true
        WHERE p.id IS NULL -- gone, and with it what it counted
           OR p.id = ANY (locked_projects)
              AND (c.id IS NULL OR c.id = ANY (locked_code))
              AND (u.worker_id IS NULL OR u.worker_id = ANY (locked_workers)
                   OR NOT EXISTS (SELECT FROM public.workflow_workers k WHERE k.worker_id::text = u.worker_id))
        ORDER BY u.id LIMIT most
        FOR UPDATE OF u SKIP LOCKED
    ),
    gone AS (
        DELETE FROM workflow_worker.uncounted u USING found f WHERE u.id = f.id
        RETURNING u.*, f.project_id AS in_project, f.code_id AS of_code
    )
    SELECT array_agg(ROW(g.id, g.in_project, g.workflow_id, g.execution_id, g.executions, g.status, g.code_version, g.of_code, g.duration_ms, g.ended_at,
        g.component_id, g.uses, g.worker_id, g.tasks_completed, g.tasks_failed)::workflow_worker.uncounted)
    INTO taken FROM gone g;
    IF taken IS NULL THEN
        RETURN 0;
    END IF;
    SELECT array_agg(DISTINCT t.workflow_id) INTO touched FROM unnest(taken) t WHERE t.workflow_id IS NOT NULL AND t.project_id IS NOT NULL;

    -- What this transaction writes from here on is no news to the service, and no other's count.
    PERFORM pg_catalog.pg_logical_emit_message(true, 'workflow_worker', 'counts');
    PERFORM pg_catalog.set_config('workflow_worker.counting', 'on', true);

    WITH d AS (
        SELECT t.project_id, coalesce(sum(t.executions), 0) AS n, coalesce(sum(t.duration_ms * t.executions), 0) AS ms,
               max(t.ended_at) FILTER (WHERE t.executions > 0) AS last, coalesce(sum(t.tasks_completed + t.tasks_failed), 0) AS activities
        FROM unnest(taken) t
        WHERE t.project_id IS NOT NULL AND (t.executions IS NOT NULL OR t.worker_id IS NOT NULL)
        GROUP BY t.project_id
    ),
    was AS (SELECT p.id, p.xmin::text AS version FROM public.projects p JOIN d ON d.project_id = p.id),
    done AS (
        UPDATE public.projects p SET
            total_workflow_executions = greatest(0, coalesce(p.total_workflow_executions, 0) + d.n),
            total_activity_executions = coalesce(p.total_activity_executions, 0) + d.activities,
            total_execution_duration_ms = s.ms,
            avg_execution_duration_ms = CASE WHEN coalesce(p.total_workflow_executions, 0) + d.n > 0
                THEN least(2147483647, round(s.ms / (coalesce(p.total_workflow_executions, 0) + d.n))) ELSE 0 END,
            last_execution_at = greatest(p.last_execution_at, d.last)
        FROM d JOIN public.projects q ON q.id = d.project_id
        CROSS JOIN LATERAL (SELECT greatest(0, coalesce(q.total_execution_duration_ms, q.avg_execution_duration_ms::bigint * q.total_workflow_executions, 0) + d.ms)::numeric) s (ms)
        WHERE p.id = d.project_id
        RETURNING p.id, p.xmin::text AS version
    )
    INSERT INTO workflow_worker.counted_versions AS v (row_id, version, stands_for)
    SELECT done.id, done.version, was.version FROM done JOIN was ON was.id = done.id
    ON CONFLICT (row_id) DO UPDATE SET version = excluded.version,
        stands_for = CASE WHEN v.version = excluded.stands_for THEN v.stands_for ELSE excluded.stands_for END;

    WITH d AS (
        SELECT t.code_id, sum(t.executions) AS n, coalesce(sum(t.duration_ms * t.executions), 0) AS ms,
               coalesce(sum(t.executions) FILTER (WHERE t.status = 'failed'), 0) AS failed, max(t.ended_at) FILTER (WHERE t.executions > 0) AS last
        FROM unnest(taken) t
        WHERE t.code_id IS NOT NULL
        GROUP BY t.code_id
    ),
    was AS (SELECT c.id, c.xmin::text AS version FROM public.workflow_compiled_code c JOIN d ON d.code_id = c.id),
    done AS (
        UPDATE public.workflow_compiled_code c SET
            execution_count = greatest(0, coalesce(c.execution_count, 0) + d.n),
            error_count = greatest(0, coalesce(c.error_count, 0) + d.failed),
            total_execution_duration_ms = s.ms,
            avg_execution_duration_ms = CASE WHEN coalesce(c.execution_count, 0) + d.n > 0
                THEN least(2147483647, round(s.ms / (coalesce(c.execution_count, 0) + d.n))) ELSE 0 END,
            last_executed_at = greatest(c.last_executed_at, d.last)
        FROM d JOIN public.workflow_compiled_code q ON q.id = d.code_id
        CROSS JOIN LATERAL (SELECT greatest(0, coalesce(q.total_execution_duration_ms, q.avg_execution_duration_ms::bigint * q.execution_count, 0) + d.ms)::numeric) s (ms)
        WHERE c.id = d.code_id
        RETURNING c.id, c.xmin::text AS version
    )
    INSERT INTO workflow_worker.counted_versions AS v (row_id, version, stands_for)
    SELECT done.id, done.version, was.version FROM done JOIN was ON was.id = done.id
    ON CONFLICT (row_id) DO UPDATE SET version = excluded.version,
        stands_for = CASE WHEN v.version = excluded.stands_for THEN v.stands_for ELSE excluded.stands_for END;

    UPDATE public.workflow_workers w SET
        total_tasks_completed = coalesce(w.total_tasks_completed, 0) + d.completed,
        total_tasks_failed = coalesce(w.total_tasks_failed, 0) + d.failed,
        total_task_duration_ms = s.ms,
        avg_task_duration_ms = least(2147483647, round(s.ms / greatest(1, coalesce(w.total_tasks_completed, 0) + coalesce(w.total_tasks_failed, 0) + d.completed + d.failed)))
    FROM (SELECT t.worker_id, sum(t.tasks_completed) AS completed, sum(t.tasks_failed) AS failed, sum(t.duration_ms) AS ms
          FROM unnest(taken) t WHERE t.worker_id IS NOT NULL GROUP BY t.worker_id) d
    JOIN public.workflow_workers q ON q.worker_id::text = d.worker_id
    CROSS JOIN LATERAL (SELECT (coalesce(q.total_task_duration_ms, q.avg_task_duration_ms::bigint * (q.total_tasks_completed + q.total_tasks_failed), 0) + d.ms)::numeric) s (ms)
    WHERE w.worker_id = q.worker_id;

    INSERT INTO workflow_worker.component_uses AS c (workflow_id, component_id, uses)
    SELECT t.workflow_id, t.component_id, sum(t.uses) FROM unnest(taken) t
    WHERE t.component_id IS NOT NULL AND t.project_id IS NOT NULL
    GROUP BY t.workflow_id, t.component_id ORDER BY 1, 2
    ON CONFLICT (workflow_id, component_id) DO UPDATE SET uses = c.uses + excluded.uses;

    IF to_regclass('public.workflow_statistics') IS NOT NULL THEN
        INSERT INTO public.workflow_statistics (workflow_id)
        SELECT w.id FROM public.workflows w WHERE w.id = ANY (touched) ORDER BY w.id
        ON CONFLICT (workflow_id) DO NOTHING;
        UPDATE public.workflow_statistics s SET
            total_runs = least(2147483647, greatest(0, coalesce(s.total_runs, 0) + d.n)),
            successful_runs = least(2147483647, greatest(0, coalesce(s.successful_runs, 0) + d.completed)),
            failed_runs = least(2147483647, greatest(0, coalesce(s.failed_runs, 0) + d.failed)),
            total_errors = least(2147483647, greatest(0, coalesce(s.total_errors, 0) + d.failed)),
            total_duration_ms = sums.ms,
            avg_duration_ms = CASE WHEN coalesce(s.total_runs, 0) + d.n > 0 THEN least(2147483647, round(sums.ms / (coalesce(s.total_runs, 0) + d.n))) END,
            min_duration_ms = least(s.min_duration_ms, d.shortest),
            max_duration_ms = greatest(s.max_duration_ms, d.longest),
            last_error_at = greatest(s.last_error_at, d.last_failed),
            last_run_at = greatest(s.last_run_at, d.last)
        FROM (
            SELECT t.workflow_id, sum(t.executions) AS n, coalesce(sum(t.duration_ms * t.executions), 0) AS ms,
                   coalesce(sum(t.executions) FILTER (WHERE t.status = 'completed'), 0) AS completed,
                   coalesce(sum(t.executions) FILTER (WHERE t.status = 'failed'), 0) AS failed,
                   min(least(2147483647, t.duration_ms)) FILTER (WHERE t.executions > 0 AND t.duration_ms IS NOT NULL) AS shortest,
                   max(least(2147483647, t.duration_ms)) FILTER (WHERE t.executions > 0 AND t.duration_ms IS NOT NULL) AS longest,
                   max(t.ended_at) FILTER (WHERE t.executions > 0 AND t.status = 'failed') AS last_failed,
                   max(t.ended_at) FILTER (WHERE t.executions > 0) AS last
            FROM unnest(taken) t
            WHERE t.executions IS NOT NULL AND t.project_id IS NOT NULL
            GROUP BY t.workflow_id) d
        JOIN public.workflow_statistics q ON q.workflow_id = d.workflow_id
        CROSS JOIN LATERAL (SELECT greatest(0, coalesce(q.total_duration_ms, q.avg_duration_ms::bigint * q.total_runs, 0) + d.ms)::numeric) sums (ms)
        WHERE s.workflow_id = d.workflow_id;
        UPDATE public.workflow_statistics s SET most_used_component_id = u.component_id, most_used_component_count = least(2147483647, u.uses)
        FROM (SELECT DISTINCT ON (c.workflow_id) c.workflow_id, c.component_id, c.uses
              FROM workflow_worker.component_uses c JOIN public.components k ON k.id = c.component_id
              WHERE c.workflow_id = ANY (SELECT t.workflow_id FROM unnest(taken) t WHERE t.component_id IS NOT NULL)
              ORDER BY c.workflow_id, c.uses DESC, c.component_id) u
        WHERE s.workflow_id = u.workflow_id;
    END IF;

    IF to_regclass('public.project_statistics') IS NOT NULL THEN
        INSERT INTO public.project_statistics (project_id)
        SELECT DISTINCT t.project_id FROM unnest(taken) t JOIN public.projects p ON p.id = t.project_id
        WHERE t.workflow_id IS NOT NULL ORDER BY 1
        ON CONFLICT (project_id) DO NOTHING;
        UPDATE public.project_statistics s SET
            total_executions = least(2147483647, greatest(0, coalesce(s.total_executions, 0) + d.n)),
            total_failures = least(2147483647, greatest(0, coalesce(s.total_failures, 0) + d.failed)),
            longest_run_workflow_id = CASE WHEN d.longest > coalesce(s.longest_run_duration_ms, -1) THEN d.longest_workflow ELSE s.longest_run_workflow_id END,
            longest_run_duration_ms = greatest(s.longest_run_duration_ms, d.longest),
            last_failure_at = greatest(s.last_failure_at, d.last_failed),
            last_execution_at = greatest(s.last_execution_at, d.last)
        FROM (
            SELECT t.project_id, sum(t.executions) AS n, coalesce(sum(t.executions) FILTER (WHERE t.status = 'failed'), 0) AS failed,
                   max(least(2147483647, t.duration_ms)) FILTER (WHERE t.executions > 0 AND t.duration_ms IS NOT NULL) AS longest,
                   (array_agg(t.workflow_id ORDER BY t.duration_ms DESC NULLS LAST) FILTER (WHERE t.executions > 0))[1] AS longest_workflow,
                   max(t.ended_at) FILTER (WHERE t.executions > 0 AND t.status = 'failed') AS last_failed,
                   max(t.ended_at) FILTER (WHERE t.executions > 0) AS last
            FROM unnest(taken) t
            WHERE t.executions IS NOT NULL AND t.project_id IS NOT NULL
            GROUP BY t.project_id) d
        WHERE s.project_id = d.project_id;
        UPDATE public.project_statistics s SET most_used_component_id = u.component_id, most_used_component_count = least(2147483647, u.uses)
        FROM (SELECT DISTINCT ON (w.project_id) w.project_id, c.component_id, sum(c.uses) AS uses
              FROM workflow_worker.component_uses c JOIN public.components k ON k.id = c.component_id JOIN public.workflows w ON w.id = c.workflow_id
              WHERE w.project_id = ANY (SELECT t.project_id FROM unnest(taken) t WHERE t.component_id IS NOT NULL)
              GROUP BY w.project_id, c.component_id
              ORDER BY w.project_id, sum(c.uses) DESC, c.component_id) u
        WHERE s.project_id = u.project_id;
        IF to_regclass('public.workflow_statistics') IS NOT NULL THEN
            UPDATE public.project_statistics s SET most_used_workflow_id = u.workflow_id, most_used_workflow_count = u.total_runs
            FROM (SELECT DISTINCT ON (w.project_id) w.project_id, r.workflow_id, r.total_runs
                  FROM public.workflow_statistics r JOIN public.workflows w ON w.id = r.workflow_id
                  WHERE w.project_id = ANY (SELECT t.project_id FROM unnest(taken) t WHERE t.executions IS NOT NULL)
                  ORDER BY w.project_id, r.total_runs DESC NULLS LAST, r.workflow_id) u
            WHERE s.project_id = u.project_id;
            -- The Workflow Builder's own task queues, which it gives workflows; not all have them.
            IF to_regclass('public.task_queues') IS NOT NULL AND EXISTS (
                SELECT FROM pg_catalog.pg_attribute WHERE attrelid = 'public.workflows'::regclass AND attname = 'task_queue_id' AND NOT attisdropped) THEN
                UPDATE public.project_statistics s SET most_used_task_queue_id = u.task_queue_id, most_used_task_queue_count = least(2147483647, u.runs)
                FROM (SELECT DISTINCT ON (w.project_id) w.project_id, w.task_queue_id, sum(r.total_runs) AS runs
                      FROM public.workflow_statistics r JOIN public.workflows w ON w.id = r.workflow_id JOIN public.task_queues k ON k.id = w.task_queue_id
                      WHERE w.project_id = ANY (SELECT t.project_id FROM unnest(taken) t WHERE t.executions IS NOT NULL)
                      GROUP BY w.project_id, w.task_queue_id
                      ORDER BY w.project_id, sum(r.total_runs) DESC NULLS LAST, w.task_queue_id) u
                WHERE s.project_id = u.project_id;
            END IF;
        END IF;
    END IF;
    PERFORM pg_catalog.set_config('workflow_worker.counting', '', true);
    RETURN cardinality(taken);
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION workflow_worker.note_end(), workflow_worker.note_uses(), workflow_worker.note_steps_due(), workflow_worker.keep_totals(),
    workflow_worker.counted_code(uuid, text), workflow_worker.count_up(integer) FROM PUBLIC;

-- What the rows say that are there already, for what nobody counted before.
INSERT INTO public.workflow_statistics (workflow_id, total_runs, successful_runs, failed_runs, total_errors,
    avg_duration_ms, min_duration_ms, max_duration_ms, total_duration_ms, last_error_at, last_run_at)
SELECT e.workflow_id, count(*), count(*) FILTER (WHERE e.status = 'completed'), count(*) FILTER (WHERE e.status = 'failed'), count(*) FILTER (WHERE e.status = 'failed'),
    round(sum(d.ms) / count(*)), min(d.ms), max(d.ms), coalesce(sum(d.ms), 0), max(e.completed_at) FILTER (WHERE e.status = 'failed'), max(e.completed_at)
FROM public.workflow_executions e
CROSS JOIN LATERAL (SELECT CASE WHEN x IS NOT NULL THEN round(least(2147483647, x)) END FROM coalesce(e.duration_ms, extract(epoch FROM e.completed_at - e.started_at) * 1000) x) d (ms)
WHERE e.temporal_run_id IS NOT NULL AND e.status IN ('completed', 'failed', 'cancelled')
  AND EXISTS (SELECT FROM public.workflows w WHERE w.id = e.workflow_id)
  AND NOT EXISTS (SELECT FROM workflow_worker.uncounted u WHERE u.execution_id = e.id)
GROUP BY e.workflow_id
ON CONFLICT (workflow_id) DO NOTHING;

INSERT INTO public.project_statistics (project_id, total_executions, total_failures, last_failure_at, last_execution_at,
    most_used_workflow_id, most_used_workflow_count, longest_run_duration_ms, longest_run_workflow_id)
SELECT w.project_id, least(2147483647, sum(s.total_runs)), least(2147483647, sum(s.failed_runs)), max(s.last_error_at), max(s.last_run_at),
    (array_agg(s.workflow_id ORDER BY s.total_runs DESC, s.workflow_id))[1], max(s.total_runs),
    max(s.max_duration_ms), (array_agg(s.workflow_id ORDER BY s.max_duration_ms DESC) FILTER (WHERE s.max_duration_ms IS NOT NULL))[1]
FROM public.workflow_statistics s JOIN public.workflows w ON w.id = s.workflow_id
WHERE s.total_runs > 0
GROUP BY w.project_id
ON CONFLICT (project_id) DO NOTHING;

-- Activities to look at -----------------------------------------------------------------

-- The reader's own rights and policies hold (security_invoker). A relation or type of that
-- name that isn't ours stays as it is.
-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
BEGIN
    IF to_regtype('public.activities_needing_attention') IS NOT NULL
       AND coalesce(obj_description(to_regclass('public.activities_needing_attention'), 'pg_class'), '') NOT LIKE '%workflow-worker%' THEN
        RAISE NOTICE 'public.activities_needing_attention is somebody else''s: the view of that name is not made';
        RETURN;
    END IF;

    CREATE OR REPLACE VIEW public.activities_needing_attention WITH (security_invoker = true) AS
    SELECT s.project_id, s.activity_name::text AS activity_name,
           array_remove(ARRAY[
               CASE WHEN s.execution_count > 1000 THEN 'often' END,
               CASE WHEN s.avg_duration_ms > 5000 THEN 'slow' END,
               CASE WHEN s.failure_count > 0.05 * s.execution_count THEN 'failing' END], NULL) AS reasons,
           s.execution_count::bigint AS execution_count,
           s.failure_count::bigint AS failure_count,
           round(s.failure_count::numeric / nullif(s.execution_count, 0), 4) AS failure_rate,
           s.avg_duration_ms::integer AS avg_duration_ms,
           s.p95_duration_ms::integer AS p95_duration_ms,
           s.p99_duration_ms::integer AS p99_duration_ms,
           s.last_executed_at
    FROM public.activity_statistics s
    WHERE s.execution_count > 1000 OR s.avg_duration_ms > 5000 OR s.failure_count > 0.05 * s.execution_count;

    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
        EXECUTE format('REVOKE ALL ON public.activities_needing_attention FROM %I', role_name);
    END LOOP;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('authenticated', 'service_role') LOOP
        EXECUTE format('GRANT SELECT ON public.activities_needing_attention TO %I', role_name);
    END LOOP;

    COMMENT ON VIEW public.activities_needing_attention IS
        'Activities that ran more than 1,000 times, take more than 5 s on average, or fail more than 5 % of the time: candidates for a worker of their own, or for mending. It shows what you may see of activity_statistics. Made by workflow-worker.';
    COMMENT ON COLUMN public.activities_needing_attention.project_id IS 'Project.';
    COMMENT ON COLUMN public.activities_needing_attention.activity_name IS 'Activity type.';
    COMMENT ON COLUMN public.activities_needing_attention.reasons IS 'Why it is here: often, slow, failing.';
    COMMENT ON COLUMN public.activities_needing_attention.execution_count IS 'Executions that ended, each attempt one.';
    COMMENT ON COLUMN public.activities_needing_attention.failure_count IS 'Of those: failed.';
    COMMENT ON COLUMN public.activities_needing_attention.failure_rate IS 'Their share, from 0 to 1.';
    COMMENT ON COLUMN public.activities_needing_attention.avg_duration_ms IS 'Mean duration in milliseconds.';
    COMMENT ON COLUMN public.activities_needing_attention.p95_duration_ms IS '95th percentile of the last thousand durations in milliseconds.';
    COMMENT ON COLUMN public.activities_needing_attention.p99_duration_ms IS '99th percentile of the last thousand durations in milliseconds.';
    COMMENT ON COLUMN public.activities_needing_attention.last_executed_at IS 'When an execution last ended.';
END
$$;
-- +goose StatementEnd

-- Who may see them. Where the Workflow Builder made the tables its policies hold.
-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
    t         text;
BEGIN
    FOREACH t IN ARRAY ARRAY['workflow_statistics', 'project_statistics'] LOOP
        IF NOT (SELECT created_here FROM workflow_worker.contract_tables WHERE table_name = t) THEN
            CONTINUE;
        END IF;
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', t);
        FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
            EXECUTE format('REVOKE ALL ON public.%I FROM %I', t, role_name);
        END LOOP;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO service_role', t);
        END IF;
        IF to_regprocedure('workflow_worker.own_workflows()') IS NOT NULL AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
            EXECUTE format('GRANT SELECT ON public.%I TO authenticated', t);
            EXECUTE format('DROP POLICY IF EXISTS workflow_worker_own ON public.%I', t);
            EXECUTE format('CREATE POLICY workflow_worker_own ON public.%I FOR SELECT TO authenticated USING (%s)', t,
                CASE t WHEN 'workflow_statistics' THEN 'workflow_id IN (SELECT workflow_worker.own_workflows())'
                       ELSE 'project_id IN (SELECT workflow_worker.own_projects())' END);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- What each means. A comment that somebody else wrote stays; what 00007 said of columns
-- that nobody wrote yet doesn't.
-- +goose StatementBegin
DO $$
DECLARE
    c   record;
    was text;
BEGIN
    FOR c IN
        SELECT * FROM (VALUES
            ('workflow_statistics', NULL, 'What executions of each workflow add up to: those that have, or had, a row in workflow_executions. The service writes it.'),
            ('workflow_statistics', 'id', 'Key.'),
            ('workflow_statistics', 'workflow_id', 'Workflow.'),
            ('workflow_statistics', 'total_runs', 'Executions that ran and ended: completed, failed and cancelled.'),
            ('workflow_statistics', 'successful_runs', 'Of those: completed.'),
            ('workflow_statistics', 'failed_runs', 'Of those: failed, terminated and timed out ones included.'),
            ('workflow_statistics', 'avg_duration_ms', 'Mean duration in milliseconds, of all that ended.'),
            ('workflow_statistics', 'min_duration_ms', 'Shortest duration in milliseconds.'),
            ('workflow_statistics', 'max_duration_ms', 'Longest duration in milliseconds.'),
            ('workflow_statistics', 'most_used_component_id', 'Component that most of its steps were of. Where steps are recorded.'),
            ('workflow_statistics', 'most_used_component_count', 'How many.'),
            ('workflow_statistics', 'total_errors', 'The same as failed_runs.'),
            ('workflow_statistics', 'last_error_at', 'When one last failed.'),
            ('workflow_statistics', 'last_run_at', 'When one last ended.'),
            ('workflow_statistics', 'updated_at', 'When the row last changed. Set by a trigger.'),
            ('workflow_statistics', 'total_duration_ms', 'Sum of the durations, for the mean.'),
            ('project_statistics', NULL, 'The same of each project''s workflows.'),
            ('project_statistics', 'id', 'Key.'),
            ('project_statistics', 'project_id', 'Project.'),
            ('project_statistics', 'most_used_workflow_id', 'Workflow of most of its executions.'),
            ('project_statistics', 'most_used_workflow_count', 'How many.'),
            ('project_statistics', 'most_used_component_id', 'Component that most steps were of. Where steps are recorded.'),
            ('project_statistics', 'most_used_component_count', 'How many.'),
            ('project_statistics', 'most_used_task_queue_id', 'Task queue, of the Workflow Builder''s task_queues, of the workflows of most of its executions. NULL where there are none.'),
            ('project_statistics', 'most_used_task_queue_count', 'How many.'),
            ('project_statistics', 'total_executions', 'Executions that ran and ended.'),
            ('project_statistics', 'longest_run_duration_ms', 'Longest duration in milliseconds.'),
            ('project_statistics', 'longest_run_workflow_id', 'Workflow of that execution.'),
            ('project_statistics', 'total_failures', 'Executions that failed.'),
            ('project_statistics', 'last_failure_at', 'When one last failed.'),
            ('project_statistics', 'last_execution_at', 'When one last ended.'),
            ('project_statistics', 'updated_at', 'When the row last changed. Set by a trigger.'),
            ('projects', 'total_workflow_executions', 'Executions that ran and ended. The service counts them: whoever else adds one changes nothing.'),
            ('projects', 'total_activity_executions', 'Executions of activities that ended, each attempt one.'),
            ('projects', 'avg_execution_duration_ms', 'Mean duration of its executions in milliseconds.'),
            ('projects', 'last_execution_at', 'When an execution last ended.'),
            ('projects', 'total_execution_duration_ms', 'Sum of the durations, for the mean.'),
            ('workflow_compiled_code', 'execution_count', 'Executions that ended on this version; of those whose version isn''t known, what was active when they were counted. The service counts them: whoever else adds one changes nothing.'),
            ('workflow_compiled_code', 'error_count', 'Of those: failed.'),
            ('workflow_compiled_code', 'avg_execution_duration_ms', 'Mean duration of those executions in milliseconds.'),
            ('workflow_compiled_code', 'last_executed_at', 'When one last ended.'),
            ('workflow_compiled_code', 'total_execution_duration_ms', 'Sum of the durations, for the mean.'),
            ('workflow_workers', 'total_tasks_completed', 'Activity tasks that this replica did for the project.'),
            ('workflow_workers', 'total_tasks_failed', 'Activity tasks that failed there.'),
            ('workflow_workers', 'avg_task_duration_ms', 'Mean duration of an activity task in milliseconds.'),
            ('workflow_workers', 'total_task_duration_ms', 'Sum of the durations, for the mean.')
        ) AS v (table_name, column_name, comment)
    LOOP
        IF c.column_name IS NULL THEN
            IF coalesce(obj_description(('public.' || c.table_name)::regclass, 'pg_class'), '') = '' THEN
                EXECUTE format('COMMENT ON TABLE public.%I IS %L', c.table_name, c.comment);
            END IF;
            CONTINUE;
        END IF;
        SELECT coalesce(col_description(a.attrelid, a.attnum), '') INTO was FROM pg_attribute a
        WHERE a.attrelid = ('public.' || c.table_name)::regclass AND a.attname = c.column_name AND NOT a.attisdropped;
        IF was = '' OR was LIKE '%Reserved: the service doesn''t write it yet.' THEN
            EXECUTE format('COMMENT ON COLUMN public.%I.%I IS %L', c.table_name, c.column_name, c.comment);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd
COMMENT ON COLUMN workflow_worker.steps_due.counted IS 'Whether the uses of components of these steps were counted before.';
COMMENT ON TABLE workflow_worker.uncounted IS 'Internal: what has ended and isn''t added up yet; count_up adds it up and removes it.';
COMMENT ON COLUMN workflow_worker.uncounted.id IS 'Key.';
COMMENT ON COLUMN workflow_worker.uncounted.project_id IS 'Project, of a worker''s tasks. That of the others is their workflow''s.';
COMMENT ON COLUMN workflow_worker.uncounted.workflow_id IS 'Workflow.';
COMMENT ON COLUMN workflow_worker.uncounted.execution_id IS 'Row of workflow_executions.';
COMMENT ON COLUMN workflow_worker.uncounted.executions IS '1: it ended so. -1: it doesn''t any more, by a reset.';
COMMENT ON COLUMN workflow_worker.uncounted.status IS 'How it ended.';
COMMENT ON COLUMN workflow_worker.uncounted.code_version IS 'Version of the code that it ran.';
COMMENT ON COLUMN workflow_worker.uncounted.code_id IS 'Filled in by count_up.';
COMMENT ON COLUMN workflow_worker.uncounted.duration_ms IS 'How long it took, or the tasks together.';
COMMENT ON COLUMN workflow_worker.uncounted.ended_at IS 'When it ended.';
COMMENT ON COLUMN workflow_worker.uncounted.component_id IS 'Component.';
COMMENT ON COLUMN workflow_worker.uncounted.uses IS 'Steps of it.';
COMMENT ON COLUMN workflow_worker.uncounted.worker_id IS 'Row of workflow_workers.';
COMMENT ON COLUMN workflow_worker.uncounted.tasks_completed IS 'Activity tasks done.';
COMMENT ON COLUMN workflow_worker.uncounted.tasks_failed IS 'Activity tasks that failed.';
COMMENT ON TABLE workflow_worker.component_uses IS 'Internal: steps of each component, by workflow.';
COMMENT ON COLUMN workflow_worker.component_uses.workflow_id IS 'Workflow.';
COMMENT ON COLUMN workflow_worker.component_uses.component_id IS 'Component.';
COMMENT ON COLUMN workflow_worker.component_uses.uses IS 'How many.';
COMMENT ON TABLE workflow_worker.counted_versions IS 'Internal: rows of projects and workflow_compiled_code that were last written by count_up.';
COMMENT ON COLUMN workflow_worker.counted_versions.row_id IS 'The row''s id.';
COMMENT ON COLUMN workflow_worker.counted_versions.version IS 'Its version (xmin) after that.';
COMMENT ON COLUMN workflow_worker.counted_versions.stands_for IS 'Its version when somebody else last wrote it.';
COMMENT ON FUNCTION workflow_worker.note_end() IS 'Trigger: notes that an execution has ended, or that it goes on after all.';
COMMENT ON FUNCTION workflow_worker.note_uses() IS 'Trigger: notes which components the steps of a run were of.';
COMMENT ON FUNCTION workflow_worker.keep_totals() IS 'Trigger: leaves the totals to the service, and the time of the last edit to whoever edits.';
COMMENT ON FUNCTION workflow_worker.counted_code(uuid, text) IS 'The row of workflow_compiled_code that an execution counts for.';
COMMENT ON FUNCTION workflow_worker.count_up(integer) IS 'Adds up what was noted, at most so many, and says how many.';
