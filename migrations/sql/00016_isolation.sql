-- +goose Up
-- Whose workflow code shares no JavaScript runtime with other projects' code.

SET LOCAL lock_timeout = '4s';

-- NULL, the default, leaves it to the service's setting. No table is rewritten.
ALTER TABLE public.projects
    ADD COLUMN IF NOT EXISTS isolation text
        CONSTRAINT workflow_worker_isolation CHECK (isolation IN ('project'));

-- A comment that somebody else wrote stays.
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute a
               WHERE a.attrelid = 'public.projects'::regclass AND a.attname = 'isolation' AND NOT a.attisdropped
                 AND coalesce(col_description(a.attrelid, a.attnum), '') = '') THEN
        COMMENT ON COLUMN public.projects.isolation IS
            'project: its workflow code runs on JavaScript runtimes of its own, for some more memory. NULL: as WORKFLOW_ISOLATION says, usually on runtimes that projects share. Counts for executions that start, or are replayed, from then on.';
    END IF;
END
$$;
-- +goose StatementEnd
