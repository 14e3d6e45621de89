-- +goose Up
-- What the Workflow Builder's own tables lack, and what in them is too narrow for
-- us. On a database where 00001 made the tables this changes nothing.

SET LOCAL lock_timeout = '4s';

-- Columns with a constant default: no table is rewritten. ---------------------

ALTER TABLE public.projects
    ADD COLUMN IF NOT EXISTS is_active                 boolean     NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS total_workflow_executions bigint      NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS total_activity_executions bigint      NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS avg_execution_duration_ms integer     NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS last_execution_at         timestamptz,
    ADD COLUMN IF NOT EXISTS created_at                timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at                timestamptz NOT NULL DEFAULT now();

ALTER TABLE public.workflows
    ADD COLUMN IF NOT EXISTS display_name text        NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS version      text        NOT NULL DEFAULT '1.0.0',
    ADD COLUMN IF NOT EXISTS is_active    boolean     NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS created_at   timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at   timestamptz NOT NULL DEFAULT now();

ALTER TABLE public.workflow_compiled_code
    ADD COLUMN IF NOT EXISTS execution_count           bigint      NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS error_count               bigint      NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS avg_execution_duration_ms integer     NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS last_executed_at          timestamptz,
    ADD COLUMN IF NOT EXISTS updated_at                timestamptz NOT NULL DEFAULT now();

-- Every component of an older Workflow Builder has no project: it is shared, as before.
ALTER TABLE public.components
    ADD COLUMN IF NOT EXISTS project_id              uuid REFERENCES public.projects (id) ON DELETE CASCADE,
    ADD COLUMN IF NOT EXISTS implementation_language varchar(50),
    ADD COLUMN IF NOT EXISTS implementation_code     text,
    ADD COLUMN IF NOT EXISTS is_active               boolean     NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS created_at              timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at              timestamptz NOT NULL DEFAULT now();

ALTER TABLE public.worker_requests
    ADD COLUMN IF NOT EXISTS error        text,
    ADD COLUMN IF NOT EXISTS requested_by uuid,
    ADD COLUMN IF NOT EXISTS requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN IF NOT EXISTS started_at   timestamptz,
    ADD COLUMN IF NOT EXISTS completed_at timestamptz;

ALTER TABLE public.workflow_workers
    ADD COLUMN IF NOT EXISTS host                  text,
    ADD COLUMN IF NOT EXISTS port                  integer,
    ADD COLUMN IF NOT EXISTS process_id            text,
    ADD COLUMN IF NOT EXISTS started_at            timestamptz,
    ADD COLUMN IF NOT EXISTS stopped_at            timestamptz,
    ADD COLUMN IF NOT EXISTS last_heartbeat        timestamptz,
    ADD COLUMN IF NOT EXISTS total_tasks_completed bigint      NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS total_tasks_failed    bigint      NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS avg_task_duration_ms  integer     NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS cpu_usage_percent     numeric(5,2),
    ADD COLUMN IF NOT EXISTS memory_usage_mb       integer,
    ADD COLUMN IF NOT EXISTS metadata              jsonb       NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS created_at            timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at            timestamptz NOT NULL DEFAULT now();

ALTER TABLE public.activity_statistics
    ADD COLUMN IF NOT EXISTS success_count    bigint      NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS failure_count    bigint      NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS avg_duration_ms  integer     NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS p95_duration_ms  integer,
    ADD COLUMN IF NOT EXISTS p99_duration_ms  integer,
    ADD COLUMN IF NOT EXISTS last_executed_at timestamptz,
    ADD COLUMN IF NOT EXISTS created_at       timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at       timestamptz NOT NULL DEFAULT now();

-- A status that we write must be allowed. A check that lacks one of them keeps
-- all that it allowed and allows ours beside it; an enum gets the missing labels.
-- +goose StatementBegin
DO $$
DECLARE
    ours CONSTANT text[] := ARRAY['starting', 'running', 'stopping', 'stopped', 'failed'];
    status_type   regtype;
    c             record;
    allows_ours   boolean;
    label         text;
BEGIN
    SELECT a.atttypid::regtype INTO status_type
    FROM pg_attribute a
    WHERE a.attrelid = 'public.workflow_workers'::regclass AND a.attname = 'status';

    IF EXISTS (SELECT FROM pg_type WHERE oid = status_type AND typtype = 'e') THEN
        FOREACH label IN ARRAY ours LOOP
            EXECUTE format('ALTER TYPE %s ADD VALUE IF NOT EXISTS %L', status_type, label);
        END LOOP;
        RETURN;
    END IF;

    FOR c IN
        SELECT con.conname, pg_get_expr(con.conbin, con.conrelid) AS expression
        FROM pg_constraint con
        JOIN pg_attribute a ON a.attrelid = con.conrelid AND con.conkey = ARRAY[a.attnum]
        WHERE con.conrelid = 'public.workflow_workers'::regclass
          AND con.contype = 'c' AND a.attname = 'status'
    LOOP
        EXECUTE format('SELECT bool_and(coalesce((%s), true)) FROM (SELECT s::%s AS status FROM unnest(%L::text[]) AS u (s)) AS workflow_workers',
            c.expression, status_type, ours) INTO allows_ours;
        IF NOT allows_ours THEN
            EXECUTE format('ALTER TABLE public.workflow_workers DROP CONSTRAINT %I', c.conname);
            EXECUTE format('ALTER TABLE public.workflow_workers ADD CONSTRAINT %I CHECK ((%s) OR status::text = ANY (%L::text[]))',
                c.conname, c.expression, ours);
            RAISE NOTICE 'widened check "%" of workflow_workers: it lacked a status that workflow-worker writes', c.conname;
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- Rows are per project and replica: "one active worker per project" can't stay.
-- A unique index on worker_id (below) is what is unique now.
-- +goose StatementBegin
DO $$
DECLARE
    i record;
BEGIN
    FOR i IN
        SELECT x.indexrelid::regclass AS index_name, con.conname, pg_get_indexdef(x.indexrelid) AS definition
        FROM pg_index x
        LEFT JOIN pg_constraint con ON con.conindid = x.indexrelid AND con.contype = 'u'
        WHERE x.indrelid = 'public.workflow_workers'::regclass
          AND x.indisunique AND NOT x.indisprimary
          -- Only indexes that say nothing but project, task queue and status.
          AND NOT EXISTS (
              SELECT FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
              LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
              WHERE k.n <= x.indnkeyatts
                AND (k.attnum = 0 OR a.attname NOT IN ('project_id', 'task_queue_name', 'status')))
    LOOP
        IF i.conname IS NOT NULL THEN
            EXECUTE format('ALTER TABLE public.workflow_workers DROP CONSTRAINT %I', i.conname);
        ELSE
            EXECUTE format('DROP INDEX %s', i.index_name);
        END IF;
        RAISE NOTICE 'replaced, because rows are per project and replica: %', i.definition;
    END LOOP;

    IF NOT EXISTS (
        SELECT FROM pg_index x
        JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
        WHERE x.indrelid = 'public.workflow_workers'::regclass
          AND x.indisunique AND x.indnkeyatts = 1 AND x.indpred IS NULL AND a.attname = 'worker_id'
    ) THEN
        CREATE UNIQUE INDEX workflow_workers_worker_id_key ON public.workflow_workers (worker_id);
    END IF;
END
$$;
-- +goose StatementEnd
