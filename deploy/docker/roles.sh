#!/bin/sh
# Runs once, when the database is made: a role and a schema for each service.
set -eu
for service in gateway key_management reporting webhook_dispatcher; do
  psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v role="na_$service" -v schema="$service" -v password="$SERVICE_DATABASE_PASSWORD" <<'SQL'
    CREATE ROLE :"role" LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    CREATE SCHEMA :"schema" AUTHORIZATION :"role";
    ALTER ROLE :"role" SET search_path = :"schema";
SQL
done
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c 'REVOKE ALL ON SCHEMA public FROM PUBLIC'
