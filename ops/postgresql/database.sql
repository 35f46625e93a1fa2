-- The ledger's database, its owner and its readers. Once, as a superuser:
--   psql --file ops/postgresql/database.sql                     or with -v database=… -v owner=… -v reader=…
-- Passwords are set afterwards (\password hipwatch), or certificates in pg_hba.conf: none stands here.
\set ON_ERROR_STOP on
\if :{?database}
\else
  \set database hipwatch
\endif
\if :{?owner}
\else
  \set owner hipwatch
\endif
\if :{?reader}
\else
  \set reader hipwatch_reader
\endif

CREATE ROLE :"owner" LOGIN;
CREATE ROLE :"reader" LOGIN;
CREATE DATABASE :"database" OWNER :"owner" ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"reader";
-- Who only reads changes nothing by mistake, and holds nobody up for long.
ALTER ROLE :"reader" IN DATABASE :"database" SET default_transaction_read_only = on;
ALTER ROLE :"reader" IN DATABASE :"database" SET statement_timeout = '60s';

\connect :"database"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO :"owner";
GRANT USAGE ON SCHEMA public TO :"reader";
