#!/usr/bin/env bash
# Images for a machine that reaches no registry: equivalents of the official ones, built from this machine's own Debian
# packages (and Kafka from its Maven artefacts), and hipwatch's image on top. Prints the variables that name them:
#   eval "$(docker/local-images.sh)"
# Run it as often as you like: what is there is not built again. Needs an engine (docker/engine.sh) and, the first time,
# Debian and root. REBUILD=1 makes the base anew, with today's packages.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '[%4d s] docker/local-images.sh: %s\n' "$SECONDS" "$*" >&2; }

# need PROGRAM PACKAGE
need() {
    ! command -v "$1" >/dev/null || return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        say "$1 is missing, and not mine to install here"
        exit 1
    fi
    say "installing $2"
    DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

# build NAME FOLDER [options]: with the builder's own cache; its whole output when it fails. Tries twice: it downloads.
build() {
    local tag=hipwatch-local/$1 folder=$2 output before
    shift 2
    before=$(docker image inspect --format '{{.Id}}' "$tag" 2>/dev/null || true)
    if ! output=$(docker build --tag "$tag" "$@" "$folder" 2>&1); then
        say "$tag could not be built:"
        echo "$output" >&2
        say "once more"
        docker build --quiet --tag "$tag" "$@" "$folder" >&2 || exit 1
    fi
    [ "$before" = "$(docker image inspect --format '{{.Id}}' "$tag")" ] || say "built $tag"
}

# The jars of docker/kafka/pom.xml, in the cache that the tests use too; a changed pom.xml fetches anew.
kafka_jars() {
    local pom=docker/kafka/pom.xml jars scratch
    jars=${XDG_CACHE_HOME:-$HOME/.cache}/hipwatch/kafka-$(sha256sum "$pom" | cut -c1-12)
    if [ ! -d "$jars" ]; then
        need mvn maven
        mkdir -p "$(dirname "$jars")"
        scratch=$(mktemp -d "$(dirname "$jars")/fetching-XXXXXX")
        mvn -q -B -Dstyle.color=never -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$scratch/libs" >&2
        mv -T "$scratch/libs" "$jars" 2>/dev/null || [ -d "$jars" ] # another run may have been faster
        rm -rf "$scratch"
        say "fetched Apache Kafka"
    fi
    echo "$jars"
}

base=hipwatch-local/base:latest
if [ -n "${REBUILD:-}" ] || ! docker image inspect "$base" >/dev/null 2>&1; then
    need mmdebstrap mmdebstrap
    docker/local/base.sh "$base"
    say "made $base"
fi

on_base=(--build-arg "BASE=$base")
build python docker/local/python "${on_base[@]}"
build hipwatch . --file docker/Dockerfile --build-arg BASE=hipwatch-local/python
build postgres docker/local/postgres "${on_base[@]}"
build prometheus docker/local/prometheus "${on_base[@]}"
build alertmanager docker/local/alertmanager "${on_base[@]}"

jars=$(kafka_jars)
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
cp docker/kafka/{server.properties,log4j2.yaml,start.sh} "$context/"
cp -r "$jars" "$context/libs"
build kafka "$context" --file docker/local/kafka/Dockerfile "${on_base[@]}"
say "all images are there"

for what in hipwatch kafka postgres prometheus alertmanager; do
    printf 'export HIPWATCH_IMAGE_%s=hipwatch-local/%s:latest\n' "${what^^}" "$what"
done
