-- +goose Up
-- On Supabase, who makes a request says so by their id of auth.users (auth.uid()) as
-- well as by what projects name their owner with, which may be an id of users.

SET LOCAL lock_timeout = '4s';

-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_policy
                   WHERE polrelid = 'public.worker_requests'::regclass AND polname = 'workflow_worker_ask') THEN
        RETURN; -- no Supabase, or requests of somebody else's making
    END IF;
    DROP POLICY workflow_worker_ask ON public.worker_requests;
    CREATE POLICY workflow_worker_ask ON public.worker_requests FOR INSERT TO authenticated
        WITH CHECK (project_id IN (SELECT workflow_worker.own_projects()) AND status = 'pending'
            AND (requested_by IS NULL OR requested_by::text = (SELECT workflow_worker.current_user_id())
                 OR requested_by::text = (SELECT auth.uid())::text));
END
$$;
-- +goose StatementEnd
