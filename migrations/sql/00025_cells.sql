-- +goose Up
-- What became of the processes that code runs in.

SET LOCAL lock_timeout = '4s';

-- What earlier files said. A comment that somebody else wrote stays.
-- +goose StatementBegin
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN
        SELECT v.table_name, v.column_name, v.was, v.comment
        FROM (VALUES
            ('worker_events', 'kind',
             'started, reloaded, compile_failed, refused_by_gate (running executions would break), stayed (running executions keep their code, which the new one doesn''t fit), failing (running executions get no further: their workflow tasks fail), failed (a start or reload that didn''t work), stopped, request_done, migrated or code_removed.',
             'started, reloaded, compile_failed, refused_by_gate (running executions would break), stayed (running executions keep their code, which the new one doesn''t fit), failing (running executions get no further: their workflow tasks fail), failed (a start or reload that didn''t work), stopped, request_done, migrated, code_removed or cell_died (the process that its code ran in ended).')
        ) AS v (table_name, column_name, was, comment)
    LOOP
        IF EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = ('public.' || c.table_name)::regclass AND a.attname = c.column_name
                     AND coalesce(col_description(a.attrelid, a.attnum), '') IN ('', c.was)) THEN
            EXECUTE format('COMMENT ON COLUMN public.%I.%I IS %L', c.table_name, c.column_name, c.comment);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd
