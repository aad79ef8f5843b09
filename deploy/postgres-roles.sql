-- Who may do what in wetread's PostgreSQL database. Run it in that database, as a superuser:
--
--   psql --dbname wetread --file deploy/postgres-roles.sql
--   psql --dbname wetread --command '\password wetread_owner'      and the same for the others
--
-- before the first start, after that (when wetread_owner has made the tables), and after every upgrade. It may be run
-- at any time, as often as wanted. A role without a password cannot log in where passwords are asked for.
--
--   wetread_owner    upgrades (makes and alters the tables), registers and promotes models, deletes runs and results, says
--                    which peers may send, and who may sign in to the reading room
--   wetread_worker   screen, submit, worker, listen, beat and its schedules: reads all; records, claims and settles; deletes nothing
--                    but the signs of life of workers; cannot say which model is trusted
--   wetread_web      the reading room, `wetread web`: reads all; adds reviews, and changes none; cannot cancel runs, nor say
--                    who may sign in
--   wetread_reader   results, errors list, runs list, status --watch, report, models list, and KEDA's query: reads all, image
--                    paths included
--
-- Give people roles of their own with:  CREATE ROLE anna LOGIN IN ROLE wetread_reader;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['wetread_owner', 'wetread_worker', 'wetread_web', 'wetread_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', name);
        END IF;
    END LOOP;

    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format(
        'GRANT CONNECT ON DATABASE %I TO wetread_owner, wetread_worker, wetread_web, wetread_reader', current_database()
    );

    -- What an earlier role made becomes the owner's, who else could not upgrade it.
    FOR name IN
        SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'wetread_owner'
        UNION ALL SELECT viewname FROM pg_views WHERE schemaname = 'public' AND viewowner <> 'wetread_owner'
    LOOP
        EXECUTE format('ALTER TABLE public.%I OWNER TO wetread_owner', name);
    END LOOP;
    FOR name IN
        SELECT oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proowner <> 'wetread_owner'::regrole
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO wetread_owner', name);
    END LOOP;
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO wetread_owner;
GRANT USAGE ON SCHEMA public TO wetread_worker, wetread_web, wetread_reader;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, wetread_worker, wetread_web, wetread_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO wetread_web, wetread_reader;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO wetread_worker;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO wetread_worker, wetread_web;

-- The tables of the next version, from when it makes them until this file is run again.
ALTER DEFAULT PRIVILEGES FOR ROLE wetread_owner IN SCHEMA public GRANT SELECT ON TABLES TO wetread_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE wetread_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO wetread_worker;
ALTER DEFAULT PRIVILEGES FOR ROLE wetread_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO wetread_worker;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['models', 'decisions', 'model_aliases', 'alias_changes', 'alembic_version', 'peers', 'map_checks'] LOOP
        IF to_regclass('public.' || name) IS NOT NULL THEN
            EXECUTE format('REVOKE INSERT, UPDATE ON public.%I FROM wetread_worker', name);
        END IF;
    END LOOP;
    -- What opens the reading room is for nobody else to read, and what was said there for nobody to change.
    FOREACH name IN ARRAY ARRAY['readers', 'reader_sessions', 'api_tokens'] LOOP
        IF to_regclass('public.' || name) IS NOT NULL THEN
            EXECUTE format('REVOKE ALL ON public.%I FROM wetread_worker, wetread_reader', name);
        END IF;
    END LOOP;
    IF to_regclass('public.readers') IS NOT NULL THEN
        GRANT SELECT (id, name, role, created_at, disabled_at) ON public.readers TO wetread_worker, wetread_reader;
        GRANT INSERT, UPDATE, DELETE ON public.reader_sessions TO wetread_web;
        GRANT INSERT ON public.reading_lists TO wetread_web;
    END IF;
    IF to_regclass('public.reviews') IS NOT NULL THEN
        REVOKE INSERT, UPDATE ON public.reviews FROM wetread_worker;
        GRANT INSERT ON public.reviews TO wetread_web;
    END IF;
    IF to_regclass('public.workers') IS NOT NULL THEN
        GRANT DELETE ON public.workers TO wetread_worker;
    END IF;
END $$;
