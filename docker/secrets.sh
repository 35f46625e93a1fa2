#!/bin/sh
# Make the secrets of docker/compose.yaml, each once: what is there stays. Usage: docker/secrets.sh [FOLDER]
# The folder is for its owner only, which is what protects them; the files can be read by the containers' users.
set -eu

folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 700 "$folder"

# keep NAME: write what comes in to that file, unless it is there
keep() { [ -e "$folder/$1" ] || { cat >"$folder/$1.new" && chmod 644 "$folder/$1.new" && mv "$folder/$1.new" "$folder/$1"; }; }

random() { od -An -tx1 -N 24 /dev/urandom | tr -d ' \n'; }

random | keep webhook-token
random | keep grafana-password
random | keep postgres-password
# libpq reads where the ledger is from here, so the password is neither in a URL nor in the environment.
keep database.conf <<END
[hipwatch]
host=postgres
dbname=hipwatch
user=hipwatch
password=$(cat "$folder/postgres-password")
END
