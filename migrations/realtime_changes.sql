-- Executions and their steps over Supabase Realtime by postgres_changes: the fallback where Broadcast
-- from the database is not to be had.
--
-- What it costs: Realtime reads every change of the table from the log and asks row
-- level security about it once for each subscriber, on one thread: with a hundred
-- subscribers, a change is a hundred queries. The whole row travels, values included
-- (up to 1 MB, above that without them). Filter by id or workflow_id.

DO $$
DECLARE
    t text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'supabase_realtime') THEN
        CREATE PUBLICATION supabase_realtime;
    END IF;
    FOREACH t IN ARRAY ARRAY['workflow_executions', 'component_executions'] LOOP
        IF NOT EXISTS (SELECT FROM pg_publication_tables
                       WHERE pubname = 'supabase_realtime' AND schemaname = 'public' AND tablename = t) THEN
            EXECUTE format('ALTER PUBLICATION supabase_realtime ADD TABLE public.%I', t);
        END IF;
    END LOOP;
END
$$;
