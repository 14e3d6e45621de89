-- A database such as the Workflow Builder's own migrations leave it: on Supabase
-- (supabase.sql ran before), with what our contract doesn't name, and without what
-- it lacks: components.project_id, workflows.is_active, worker_requests.

-- People, and what the Workflow Builder keeps beside the contract ---------------
CREATE TABLE public.users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    auth_user_id uuid NOT NULL UNIQUE REFERENCES auth.users (id) ON DELETE CASCADE,
    email varchar(255) NOT NULL UNIQUE,
    display_name varchar(100)
);
CREATE TABLE public.component_visibility (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(50) NOT NULL UNIQUE);
CREATE TABLE public.workflow_statuses (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(50) NOT NULL UNIQUE);
CREATE TABLE public.task_queues (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL UNIQUE,
    created_by uuid NOT NULL REFERENCES public.users (id)
);

-- The tables of the contract ------------------------------------------------------
CREATE TABLE public.projects (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL,
    description text,
    created_by uuid NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    task_queue_name varchar(255) NOT NULL UNIQUE,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    total_workflow_executions bigint DEFAULT 0,
    total_activity_executions bigint DEFAULT 0,
    avg_execution_duration_ms integer DEFAULT 0,
    last_execution_at timestamptz,
    is_archived boolean NOT NULL DEFAULT false,
    CONSTRAINT unique_user_project_name UNIQUE (created_by, name)
);
CREATE INDEX idx_projects_created_by ON public.projects (created_by);

CREATE TABLE public.components (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL,
    display_name varchar(255) NOT NULL,
    version varchar(50) NOT NULL,
    created_by uuid NOT NULL REFERENCES public.users (id),
    visibility_id uuid NOT NULL REFERENCES public.component_visibility (id),
    tags text[],
    implementation_language varchar(50),
    implementation_code text,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, version, created_by)
);
COMMENT ON COLUMN public.components.implementation_language IS 'The Workflow Builder''s own comment.';

CREATE TABLE public.workflows (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kebab_name varchar(255) NOT NULL,
    display_name varchar(255) NOT NULL,
    description text,
    created_by uuid NOT NULL REFERENCES public.users (id),
    visibility_id uuid NOT NULL REFERENCES public.component_visibility (id),
    status_id uuid NOT NULL REFERENCES public.workflow_statuses (id),
    task_queue_id uuid NOT NULL REFERENCES public.task_queues (id),
    project_id uuid NOT NULL REFERENCES public.projects (id) ON DELETE CASCADE,
    parent_workflow_id uuid REFERENCES public.workflows (id) ON DELETE CASCADE,
    version varchar(50) NOT NULL DEFAULT '1.0.0',
    definition jsonb NOT NULL,
    max_concurrent_executions integer DEFAULT 10,
    layout json,   -- json has no equality: a trigger that compares whole rows would fail
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deployed_at timestamptz,
    is_archived boolean NOT NULL DEFAULT false,
    UNIQUE (kebab_name, version, created_by)
);
CREATE INDEX idx_workflows_project ON public.workflows (project_id);

CREATE TABLE public.workflow_nodes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id uuid NOT NULL REFERENCES public.workflows (id) ON DELETE CASCADE,
    component_id uuid REFERENCES public.components (id),
    config jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE public.workflow_compiled_code (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id uuid NOT NULL REFERENCES public.workflows (id) ON DELETE CASCADE,
    version varchar(50) NOT NULL,
    workflow_code text NOT NULL,
    activities_code text NOT NULL,
    worker_code text NOT NULL,
    package_json text NOT NULL,
    tsconfig_json text NOT NULL,
    compiled_at timestamptz NOT NULL DEFAULT now(),
    compiled_by uuid REFERENCES public.users (id),
    is_active boolean NOT NULL DEFAULT true,
    execution_count bigint DEFAULT 0,
    avg_execution_duration_ms integer DEFAULT 0,
    error_count bigint DEFAULT 0,
    last_executed_at timestamptz,
    CONSTRAINT unique_workflow_version UNIQUE (workflow_id, version)
);
CREATE INDEX idx_compiled_code_workflow ON public.workflow_compiled_code (workflow_id);

CREATE TABLE public.workflow_workers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    worker_id varchar(255) NOT NULL UNIQUE,
    project_id uuid NOT NULL REFERENCES public.projects (id) ON DELETE CASCADE,
    task_queue_name varchar(255) NOT NULL,
    status varchar(50) NOT NULL CHECK (status IN ('starting', 'running', 'stopping', 'stopped', 'failed')),
    host varchar(255),
    port integer,
    process_id varchar(255),
    started_at timestamptz,
    stopped_at timestamptz,
    last_heartbeat timestamptz,
    total_tasks_completed bigint DEFAULT 0,
    total_tasks_failed bigint DEFAULT 0,
    avg_task_duration_ms integer DEFAULT 0,
    cpu_usage_percent numeric(5, 2),
    memory_usage_mb integer,
    metadata jsonb DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_workers_project ON public.workflow_workers (project_id);
CREATE INDEX idx_workers_status ON public.workflow_workers (status);
CREATE UNIQUE INDEX idx_one_active_worker_per_project ON public.workflow_workers (project_id)
    WHERE status IN ('starting', 'running');

CREATE TABLE public.activity_statistics (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id uuid NOT NULL REFERENCES public.projects (id) ON DELETE CASCADE,
    activity_name varchar(255) NOT NULL,
    execution_count bigint DEFAULT 0,
    success_count bigint DEFAULT 0,
    failure_count bigint DEFAULT 0,
    avg_duration_ms integer DEFAULT 0,
    p95_duration_ms integer,
    p99_duration_ms integer,
    last_executed_at timestamptz,
    requires_dedicated_worker boolean DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT unique_project_activity UNIQUE (project_id, activity_name)
);

-- Its triggers and functions --------------------------------------------------------
CREATE FUNCTION public.update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = now();
    RETURN NEW;
END
$$;
CREATE TRIGGER update_workflows_updated_at BEFORE UPDATE ON public.workflows
    FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();
CREATE FUNCTION public.prevent_kebab_name_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kebab_name IS DISTINCT FROM OLD.kebab_name THEN
        RAISE EXCEPTION 'kebab_name stays';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER prevent_kebab_name_update_trigger BEFORE UPDATE ON public.workflows
    FOR EACH ROW EXECUTE FUNCTION public.prevent_kebab_name_update();
-- Its server calls these when an execution ends that it started.
CREATE FUNCTION public.increment_project_stats(p_project_id uuid, p_duration_ms integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE public.projects SET total_workflow_executions = total_workflow_executions + 1,
        avg_execution_duration_ms = (avg_execution_duration_ms * total_workflow_executions + p_duration_ms) / (total_workflow_executions + 1),
        last_execution_at = now(), updated_at = now()
    WHERE id = p_project_id;
END
$$;
CREATE FUNCTION public.increment_code_stats(p_workflow_id uuid, p_duration_ms integer, p_success boolean) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    UPDATE public.workflow_compiled_code SET execution_count = execution_count + 1,
        avg_execution_duration_ms = (avg_execution_duration_ms * execution_count + p_duration_ms) / (execution_count + 1),
        error_count = error_count + CASE WHEN p_success THEN 0 ELSE 1 END, last_executed_at = now()
    WHERE workflow_id = p_workflow_id AND is_active;
END
$$;

-- Its policies ------------------------------------------------------------------------
ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.task_queues ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.projects ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.components ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.workflows ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.workflow_nodes ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.workflow_compiled_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.workflow_workers ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.activity_statistics ENABLE ROW LEVEL SECURITY;

CREATE POLICY users_read_own ON public.users FOR SELECT USING (auth.uid() = auth_user_id);
CREATE POLICY task_queues_read ON public.task_queues FOR SELECT USING (true);
CREATE POLICY "Users manage their own projects" ON public.projects FOR ALL
    USING (auth.uid() IN (SELECT auth_user_id FROM public.users WHERE id = created_by))
    WITH CHECK (auth.uid() IN (SELECT auth_user_id FROM public.users WHERE id = created_by));
CREATE POLICY components_read ON public.components FOR SELECT
    USING (visibility_id IN (SELECT id FROM public.component_visibility WHERE name = 'public')
        OR created_by IN (SELECT id FROM public.users WHERE auth_user_id = auth.uid()));
CREATE POLICY components_create ON public.components FOR INSERT
    WITH CHECK (created_by IN (SELECT id FROM public.users WHERE auth_user_id = auth.uid()));
CREATE POLICY components_update ON public.components FOR UPDATE
    USING (created_by IN (SELECT id FROM public.users WHERE auth_user_id = auth.uid()));
CREATE POLICY workflows_read ON public.workflows FOR SELECT
    USING (visibility_id IN (SELECT id FROM public.component_visibility WHERE name = 'public')
        OR created_by IN (SELECT id FROM public.users WHERE auth_user_id = auth.uid()));
CREATE POLICY workflows_create ON public.workflows FOR INSERT
    WITH CHECK (created_by IN (SELECT id FROM public.users WHERE auth_user_id = auth.uid()));
CREATE POLICY workflows_update ON public.workflows FOR UPDATE
    USING (created_by IN (SELECT id FROM public.users WHERE auth_user_id = auth.uid()));
CREATE POLICY workflows_delete ON public.workflows FOR DELETE
    USING (created_by IN (SELECT id FROM public.users WHERE auth_user_id = auth.uid()));
CREATE POLICY "Users manage compiled code of their workflows" ON public.workflow_compiled_code FOR ALL
    USING (workflow_id IN (SELECT w.id FROM public.workflows w JOIN public.users u ON w.created_by = u.id WHERE u.auth_user_id = auth.uid()));
CREATE POLICY "Users can view workers for their projects" ON public.workflow_workers FOR SELECT
    USING (project_id IN (SELECT p.id FROM public.projects p JOIN public.users u ON p.created_by = u.id WHERE u.auth_user_id = auth.uid()));
CREATE POLICY "System can manage workers" ON public.workflow_workers FOR ALL USING (true) WITH CHECK (true);
CREATE POLICY "Users can view statistics for their projects" ON public.activity_statistics FOR SELECT
    USING (project_id IN (SELECT p.id FROM public.projects p JOIN public.users u ON p.created_by = u.id WHERE u.auth_user_id = auth.uid()));

-- Rows: Ann and Ben, a project each. The last digits tell what a row is.
INSERT INTO auth.users (id, email) VALUES
    ('a0000000-0000-4000-8000-0000000000ff', 'ann@example.com'),
    ('b0000000-0000-4000-8000-0000000000ff', 'ben@example.com');
INSERT INTO public.users (id, auth_user_id, email, display_name) VALUES
    ('a0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-0000000000ff', 'ann@example.com', 'Ann'),
    ('b0000000-0000-4000-8000-000000000001', 'b0000000-0000-4000-8000-0000000000ff', 'ben@example.com', 'Ben');
INSERT INTO public.component_visibility (id, name) VALUES
    ('c0000000-0000-4000-8000-000000000001', 'public'), ('c0000000-0000-4000-8000-000000000002', 'private');
INSERT INTO public.workflow_statuses (id, name) VALUES ('c0000000-0000-4000-8000-000000000003', 'active');
INSERT INTO public.task_queues (id, name, created_by) VALUES
    ('a0000000-0000-4000-8000-000000000002', 'ann-queue', 'a0000000-0000-4000-8000-000000000001'),
    ('b0000000-0000-4000-8000-000000000002', 'ben-queue', 'b0000000-0000-4000-8000-000000000001');
INSERT INTO public.projects (id, name, created_by, task_queue_name) VALUES
    ('a0000000-0000-4000-8000-000000000003', 'Ann''s', 'a0000000-0000-4000-8000-000000000001', 'ann-queue'),
    ('b0000000-0000-4000-8000-000000000003', 'Ben''s', 'b0000000-0000-4000-8000-000000000001', 'ben-queue');
INSERT INTO public.components (id, name, display_name, version, created_by, visibility_id, tags, implementation_language, implementation_code) VALUES
    ('a0000000-0000-4000-8000-000000000004', 'greet', 'Greet', '1.0.0', 'a0000000-0000-4000-8000-000000000001',
     'c0000000-0000-4000-8000-000000000002', '{greeting}', 'typescript', 'export async function greet(n: string) { return n }'),
    ('b0000000-0000-4000-8000-000000000004', 'logMessage', 'Log', '1.0.0', 'b0000000-0000-4000-8000-000000000001',
     'c0000000-0000-4000-8000-000000000001', NULL, NULL, NULL);
INSERT INTO public.workflows (id, kebab_name, display_name, created_by, visibility_id, status_id, task_queue_id, project_id, definition, layout)
SELECT replace(p.id::text, '003', '005')::uuid, 'order-intake', 'Order intake', p.created_by, 'c0000000-0000-4000-8000-000000000002',
       'c0000000-0000-4000-8000-000000000003', q.id, p.id, '{"nodes": [{"id": "n1", "data": {"label": "Greet"}}]}', '{"zoom": 1}'
FROM public.projects p JOIN public.task_queues q ON q.name = p.task_queue_name;
INSERT INTO public.workflow_nodes (workflow_id, component_id)
    VALUES ('a0000000-0000-4000-8000-000000000005', 'a0000000-0000-4000-8000-000000000004');
INSERT INTO public.workflow_compiled_code (id, workflow_id, version, workflow_code, activities_code, worker_code, package_json, tsconfig_json, compiled_by)
SELECT replace(w.id::text, '005', '006')::uuid, w.id, '1.0.0', 'export async function orderIntake() {}', '', '// worker', '{}', '{}', w.created_by
FROM public.workflows w;
INSERT INTO public.workflow_workers (worker_id, project_id, task_queue_name, status, host, process_id, started_at, last_heartbeat)
SELECT 'worker-' || p.id, p.id, p.task_queue_name, 'running', 'old-host', '17', now(), now() FROM public.projects p;
INSERT INTO public.activity_statistics (project_id, activity_name, execution_count)
SELECT p.id, 'greet', 7 FROM public.projects p;

-- Executions, as its second migration of them leaves the table -------------------------
CREATE TABLE public.user_roles (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(50) NOT NULL UNIQUE);
CREATE TABLE public.workflow_executions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id uuid NOT NULL REFERENCES public.workflows (id) ON DELETE CASCADE,
    temporal_workflow_id varchar(255),
    temporal_run_id varchar(255),
    status varchar(50) NOT NULL CHECK (status IN ('pending', 'building', 'running', 'completed', 'failed', 'cancelled', 'paused')),
    started_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    duration_ms integer,
    input jsonb,
    output jsonb,
    error_message text,
    activities_executed integer DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by uuid REFERENCES public.users (id) ON DELETE CASCADE,
    updated_at timestamptz NOT NULL DEFAULT now(),
    temporal_history_json jsonb,
    history_synced_at timestamptz,
    history_sync_status varchar(50) DEFAULT 'pending'
);
CREATE INDEX idx_workflow_executions_workflow_id ON public.workflow_executions (workflow_id);
CREATE INDEX idx_workflow_executions_status ON public.workflow_executions (status);
CREATE INDEX idx_workflow_executions_created_by ON public.workflow_executions (created_by);
CREATE INDEX idx_workflow_executions_sync_status ON public.workflow_executions (history_sync_status);
CREATE TRIGGER update_workflow_executions_updated_at BEFORE UPDATE ON public.workflow_executions
    FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();
ALTER TABLE public.workflow_executions ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users can view their own workflow executions" ON public.workflow_executions FOR SELECT
    USING (created_by IS NULL OR created_by = (SELECT id FROM public.users WHERE auth_user_id = auth.uid())
        OR workflow_id IN (SELECT w.id FROM public.workflows w JOIN public.component_visibility v ON v.id = w.visibility_id WHERE v.name = 'public'));
CREATE POLICY "Users can create their own workflow executions" ON public.workflow_executions FOR INSERT
    WITH CHECK (created_by = (SELECT id FROM public.users WHERE auth_user_id = auth.uid()));
CREATE POLICY "Users can update their own workflow executions" ON public.workflow_executions FOR UPDATE
    USING (created_by IS NULL OR created_by = (SELECT id FROM public.users WHERE auth_user_id = auth.uid()));
CREATE POLICY "Users can delete their own workflow executions" ON public.workflow_executions FOR DELETE
    USING (created_by = (SELECT id FROM public.users WHERE auth_user_id = auth.uid()));
INSERT INTO public.workflow_executions (id, workflow_id, temporal_workflow_id, temporal_run_id, status, created_by, output)
SELECT replace(w.id::text, '005', '007')::uuid, w.id, 'order-intake-1', 'r', 'completed', w.created_by, '"secret"' FROM public.workflows w;

-- Steps of executions, as its own job writes them from histories -----------------------
CREATE TABLE public.component_executions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_execution_id uuid NOT NULL REFERENCES public.workflow_executions (id) ON DELETE CASCADE,
    node_id varchar(255) NOT NULL,
    component_id uuid REFERENCES public.components (id),
    component_name varchar(255),
    status varchar(50) NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    duration_ms integer,
    input_data jsonb,
    output_data jsonb,
    error_message text,
    error_type varchar(100),
    retry_count integer DEFAULT 0,
    is_expected_retry boolean DEFAULT false,
    temporal_activity_id varchar(255),
    temporal_attempt integer DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_component_executions_workflow_execution_id ON public.component_executions (workflow_execution_id);
CREATE INDEX idx_component_executions_status ON public.component_executions (status);
ALTER TABLE public.component_executions ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users can view component executions for their workflow executions" ON public.component_executions FOR SELECT
    USING (workflow_execution_id IN (SELECT id FROM public.workflow_executions
        WHERE created_by = (SELECT id FROM public.users WHERE auth_user_id = auth.uid())
        OR workflow_id IN (SELECT w.id FROM public.workflows w JOIN public.component_visibility v ON v.id = w.visibility_id WHERE v.name = 'public')));
INSERT INTO public.component_executions (workflow_execution_id, node_id, component_id, component_name, status, output_data)
SELECT e.id, 'greet', c.id, 'greet', 'completed', '"secret"' FROM public.workflow_executions e
JOIN public.workflows w ON w.id = e.workflow_id JOIN public.components c ON c.created_by = w.created_by;

-- Statistics: tables that its pages read and that nothing of it writes -------------------
CREATE TABLE public.workflow_statistics (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id uuid NOT NULL UNIQUE REFERENCES public.workflows (id) ON DELETE CASCADE,
    total_runs integer DEFAULT 0,
    successful_runs integer DEFAULT 0,
    failed_runs integer DEFAULT 0,
    avg_duration_ms integer,
    min_duration_ms integer,
    max_duration_ms integer,
    most_used_component_id uuid REFERENCES public.components (id),
    most_used_component_count integer DEFAULT 0,
    total_errors integer DEFAULT 0,
    last_error_at timestamptz,
    last_run_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE public.project_statistics (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id uuid NOT NULL UNIQUE REFERENCES public.projects (id) ON DELETE CASCADE,
    most_used_workflow_id uuid REFERENCES public.workflows (id),
    most_used_workflow_count integer DEFAULT 0,
    most_used_component_id uuid REFERENCES public.components (id),
    most_used_component_count integer DEFAULT 0,
    most_used_task_queue_id uuid REFERENCES public.task_queues (id),
    most_used_task_queue_count integer DEFAULT 0,
    total_executions integer DEFAULT 0,
    longest_run_duration_ms integer,
    longest_run_workflow_id uuid REFERENCES public.workflows (id),
    total_failures integer DEFAULT 0,
    last_failure_at timestamptz,
    last_execution_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER update_workflow_statistics_updated_at BEFORE UPDATE ON public.workflow_statistics
    FOR EACH ROW EXECUTE FUNCTION public.update_updated_at_column();
ALTER TABLE public.workflow_statistics ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.project_statistics ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Users can view statistics for their workflows" ON public.workflow_statistics FOR SELECT
    USING (workflow_id IN (SELECT id FROM public.workflows WHERE created_by = (SELECT id FROM public.users WHERE auth_user_id = auth.uid())
        OR visibility_id IN (SELECT id FROM public.component_visibility WHERE name = 'public')));
CREATE POLICY "Users can view statistics for their projects" ON public.project_statistics FOR SELECT
    USING (project_id IN (SELECT id FROM public.projects WHERE created_by = (SELECT id FROM public.users WHERE auth_user_id = auth.uid())));
