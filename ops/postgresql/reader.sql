-- What readers may see: after the first worker or `hipwatch db init` has made the tables, and after every `hipwatch db upgrade`. As the owner:
--   psql --dbname hipwatch --file ops/postgresql/reader.sql     or with -v reader=…
\set ON_ERROR_STOP on
\if :{?reader}
\else
  \set reader hipwatch_reader
\endif

BEGIN;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO :"reader";
-- Not the bytes that senders wrote, whatever they are, and not the key under which event ids are hashed.
REVOKE ALL ON dead_letter, ledger_key FROM :"reader";
COMMIT;
