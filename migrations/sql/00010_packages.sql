-- +goose Up
-- The npm packages that stored code was compiled with: executions that began on it
-- replay on the same ones, whatever the operator's folder has by then.

SET LOCAL lock_timeout = '4s';

CREATE TABLE IF NOT EXISTS public.workflow_package_bundles (
    hash         text        PRIMARY KEY CHECK (hash <> ''),
    kind         text        NOT NULL CHECK (kind IN ('workflow', 'activity')),
    names        text[]      NOT NULL,
    code         text        NOT NULL,
    source_map   text        NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now()
);

-- With foreign keys: a bundle can't go while code refers to it.
ALTER TABLE public.workflow_code_store
    ADD COLUMN IF NOT EXISTS packages            text REFERENCES public.workflow_package_bundles (hash),
    ADD COLUMN IF NOT EXISTS activities_packages text REFERENCES public.workflow_package_bundles (hash);
CREATE INDEX IF NOT EXISTS idx_workflow_code_store_packages ON public.workflow_code_store (packages)
    WHERE packages IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_workflow_code_store_activities_packages ON public.workflow_code_store (activities_packages)
    WHERE activities_packages IS NOT NULL;

-- Internal, as workflow_code_store is.
-- +goose StatementBegin
DO $$
DECLARE
    role_name text;
BEGIN
    ALTER TABLE public.workflow_package_bundles ENABLE ROW LEVEL SECURITY;
    FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role') LOOP
        EXECUTE format('REVOKE ALL ON public.workflow_package_bundles FROM %I', role_name);
    END LOOP;
END
$$;
-- +goose StatementEnd

COMMENT ON TABLE public.workflow_package_bundles IS
    'npm packages that stored code was compiled with, by content. Running executions find them here after an upgrade: don''t delete rows by hand. Written by workflow-worker.';
COMMENT ON COLUMN public.workflow_package_bundles.hash IS 'Hash of the bundle.';
COMMENT ON COLUMN public.workflow_package_bundles.kind IS 'workflow or activity: which code it was made for.';
COMMENT ON COLUMN public.workflow_package_bundles.names IS 'What code imports of it.';
COMMENT ON COLUMN public.workflow_package_bundles.code IS 'The packages as one JavaScript text.';
COMMENT ON COLUMN public.workflow_package_bundles.source_map IS 'Which file of which package a line of it came from.';
COMMENT ON COLUMN public.workflow_package_bundles.created_at IS 'When it was stored.';
COMMENT ON COLUMN public.workflow_package_bundles.last_used_at IS 'When code with it was last stored, or read back.';
COMMENT ON COLUMN public.workflow_code_store.packages IS 'npm packages of workflow_code: a row of workflow_package_bundles. NULL: it imports none.';
COMMENT ON COLUMN public.workflow_code_store.activities_packages IS 'npm packages of activities_code. NULL: it imports none.';
