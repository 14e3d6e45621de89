-- +goose Up
-- updated_at moves with every UPDATE, whoever writes. Where the Workflow Builder
-- has a trigger for it already, both set the same value.

SET LOCAL lock_timeout = '4s';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION workflow_worker.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = ''
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION workflow_worker.touch_updated_at() FROM PUBLIC;
COMMENT ON FUNCTION workflow_worker.touch_updated_at() IS 'Trigger: sets updated_at to the time of the transaction.';

CREATE OR REPLACE TRIGGER workflow_worker_updated_at BEFORE UPDATE ON public.projects
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.touch_updated_at();
CREATE OR REPLACE TRIGGER workflow_worker_updated_at BEFORE UPDATE ON public.workflows
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.touch_updated_at();
CREATE OR REPLACE TRIGGER workflow_worker_updated_at BEFORE UPDATE ON public.workflow_compiled_code
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.touch_updated_at();
CREATE OR REPLACE TRIGGER workflow_worker_updated_at BEFORE UPDATE ON public.components
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.touch_updated_at();
CREATE OR REPLACE TRIGGER workflow_worker_updated_at BEFORE UPDATE ON public.workflow_workers
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.touch_updated_at();
CREATE OR REPLACE TRIGGER workflow_worker_updated_at BEFORE UPDATE ON public.activity_statistics
    FOR EACH ROW EXECUTE FUNCTION workflow_worker.touch_updated_at();
