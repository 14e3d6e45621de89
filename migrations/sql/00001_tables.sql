-- +goose Up
-- The tables of the contract between the Workflow Builder and workflow-worker.
--
-- On an empty database all of them are made here. On the Workflow Builder's own
-- database its tables are found, kept as they are, and only what they lack is
-- added. Nothing is dropped, renamed or rewritten, and each file of this folder
-- may run twice. By hand: psql --single-transaction -f <file>, in order.

-- ALTER TABLE waits behind open transactions, and everybody else then waits
-- behind ALTER TABLE. Rather give up soon: the runner tries again.
SET LOCAL lock_timeout = '4s';

-- Internal things live in a schema of their own: what is in "public" is what
-- PostgREST (Supabase) offers to the world.
CREATE SCHEMA IF NOT EXISTS workflow_worker;
REVOKE ALL ON SCHEMA workflow_worker FROM PUBLIC;
COMMENT ON SCHEMA workflow_worker IS
    'Internals of workflow-worker: which migrations ran, and functions used by its policies and triggers.';

-- Which tables were here before us. Those stay their owner's: we don't switch
-- row level security on there, nor take away anybody's rights.
CREATE TABLE IF NOT EXISTS workflow_worker.contract_tables (
    table_name   text        PRIMARY KEY,
    created_here boolean     NOT NULL,
    noted_at     timestamptz NOT NULL DEFAULT now()
);

INSERT INTO workflow_worker.contract_tables (table_name, created_here)
SELECT name, to_regclass(format('public.%I', name)) IS NULL
FROM unnest(ARRAY[
    'projects', 'workflows', 'workflow_compiled_code', 'components',
    'worker_requests', 'workflow_workers', 'activity_statistics',
    'workflow_code_store', 'workflow_live_code'
]) AS t (name)
ON CONFLICT (table_name) DO NOTHING;

-- Written by the Workflow Builder ---------------------------------------------

CREATE TABLE IF NOT EXISTS public.projects (
    id                        uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    name                      text        NOT NULL CHECK (name <> ''),
    description               text,
    created_by                uuid,
    -- One project, one task queue. Temporal keeps names below /_sys/ for itself.
    task_queue_name           text        NOT NULL UNIQUE
                              CHECK (length(task_queue_name) BETWEEN 1 AND 1000 AND left(task_queue_name, 6) <> '/_sys/'),
    is_active                 boolean     NOT NULL DEFAULT true,
    total_workflow_executions bigint      NOT NULL DEFAULT 0,
    total_activity_executions bigint      NOT NULL DEFAULT 0,
    avg_execution_duration_ms integer     NOT NULL DEFAULT 0,
    last_execution_at         timestamptz,
    created_at                timestamptz NOT NULL DEFAULT now(),
    updated_at                timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS public.workflows (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id   uuid        NOT NULL REFERENCES public.projects (id) ON DELETE CASCADE,
    kebab_name   text        NOT NULL CHECK (kebab_name <> ''),
    display_name text        NOT NULL DEFAULT '',
    description  text,
    version      text        NOT NULL DEFAULT '1.0.0',
    definition   jsonb       NOT NULL DEFAULT '{}',
    is_active    boolean     NOT NULL DEFAULT true,
    created_by   uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    -- Executions are started by this name: it has to mean one workflow.
    UNIQUE (project_id, kebab_name)
);

CREATE TABLE IF NOT EXISTS public.workflow_compiled_code (
    id                        uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id               uuid        NOT NULL REFERENCES public.workflows (id) ON DELETE CASCADE,
    version                   text        NOT NULL CHECK (version <> ''),
    workflow_code             text        NOT NULL,
    activities_code           text        NOT NULL DEFAULT '',
    -- The Workflow Builder's compilers write these three; the service has no use for them.
    worker_code               text        NOT NULL DEFAULT '',
    package_json              text        NOT NULL DEFAULT '',
    tsconfig_json             text        NOT NULL DEFAULT '',
    is_active                 boolean     NOT NULL DEFAULT true,
    compiled_at               timestamptz NOT NULL DEFAULT now(),
    compiled_by               uuid,
    execution_count           bigint      NOT NULL DEFAULT 0,
    error_count               bigint      NOT NULL DEFAULT 0,
    avg_execution_duration_ms integer     NOT NULL DEFAULT 0,
    last_executed_at          timestamptz,
    updated_at                timestamptz NOT NULL DEFAULT now(),
    UNIQUE (workflow_id, version)
);

CREATE TABLE IF NOT EXISTS public.components (
    id                      uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    -- NULL: shared. A project uses a shared one by naming its id in a definition.
    project_id              uuid        REFERENCES public.projects (id) ON DELETE CASCADE,
    name                    text        NOT NULL CHECK (name <> ''),
    display_name            text        NOT NULL DEFAULT '',
    description             text,
    version                 text        NOT NULL DEFAULT '1.0.0',
    -- No list of languages: what can't be run is reported on the project's worker.
    implementation_language text,
    implementation_code     text,
    is_active               boolean     NOT NULL DEFAULT true,
    created_by              uuid,
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_at              timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS public.worker_requests (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    -- No foreign key, on purpose: whoever asked gets an answer ("no such project"),
    -- also when the project was deleted in between.
    project_id   uuid        NOT NULL,
    action       text        NOT NULL CHECK (action IN ('start', 'stop', 'restart', 'migrate', 'check')),
    status       text        NOT NULL DEFAULT 'pending'
                 CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    error        text,
    requested_by uuid,
    -- The newest request says whether a project should run, so two requests of one
    -- transaction need different times: not now().
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at   timestamptz,
    completed_at timestamptz
);

-- Written by workflow-worker --------------------------------------------------

CREATE TABLE IF NOT EXISTS public.workflow_workers (
    id                    uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    -- One row per project and replica.
    worker_id             text         NOT NULL UNIQUE,
    project_id            uuid         NOT NULL REFERENCES public.projects (id) ON DELETE CASCADE,
    task_queue_name       text         NOT NULL,
    status                text         NOT NULL
                          CHECK (status IN ('starting', 'running', 'stopping', 'stopped', 'failed')),
    host                  text,
    port                  integer,
    process_id            text,
    started_at            timestamptz,
    stopped_at            timestamptz,
    last_heartbeat        timestamptz,
    total_tasks_completed bigint       NOT NULL DEFAULT 0,
    total_tasks_failed    bigint       NOT NULL DEFAULT 0,
    avg_task_duration_ms  integer      NOT NULL DEFAULT 0,
    cpu_usage_percent     numeric(5,2),
    memory_usage_mb       integer,
    metadata              jsonb        NOT NULL DEFAULT '{}',
    created_at            timestamptz  NOT NULL DEFAULT now(),
    updated_at            timestamptz  NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS public.activity_statistics (
    id               uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id       uuid        NOT NULL REFERENCES public.projects (id) ON DELETE CASCADE,
    activity_name    text        NOT NULL,
    execution_count  bigint      NOT NULL DEFAULT 0,
    success_count    bigint      NOT NULL DEFAULT 0,
    failure_count    bigint      NOT NULL DEFAULT 0,
    avg_duration_ms  integer     NOT NULL DEFAULT 0,
    p95_duration_ms  integer,
    p99_duration_ms  integer,
    last_executed_at timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, activity_name)
);

-- Internal to workflow-worker -------------------------------------------------

-- No foreign keys in these two: an execution that began on a text has to find it
-- again, whatever was deleted since.
CREATE TABLE IF NOT EXISTS public.workflow_code_store (
    project_id      uuid        NOT NULL,
    hash            text        NOT NULL CHECK (hash <> ''),
    workflow_id     uuid,
    kind            text        NOT NULL CHECK (kind IN ('workflow', 'component')),
    name            text        NOT NULL DEFAULT '',
    version         text        NOT NULL DEFAULT '',
    workflow_code   text        NOT NULL DEFAULT '',
    activities_code text        NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    last_used_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, hash)
);

CREATE TABLE IF NOT EXISTS public.workflow_live_code (
    project_id  uuid        NOT NULL,
    source_kind text        NOT NULL CHECK (source_kind IN ('workflow', 'component')),
    source_id   uuid        NOT NULL,
    hash        text        NOT NULL CHECK (hash <> ''),
    version     text        NOT NULL DEFAULT '',
    since       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project_id, source_kind, source_id)
);
