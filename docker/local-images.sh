#!/usr/bin/env bash
# Images for a machine that reaches no registry: equivalents of the official ones, built from this machine's own Debian
# packages (and Kafka from its Maven artefacts), and hipwatch's image on top. Prints the variables that name them:
#   eval "$(docker/local-images.sh)"
# Run it as often as you like: what is there is not built again. Needs an engine (docker/engine.sh) and, the first time,
# Debian and root. REBUILD=1 makes the base anew, with today's packages.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '[%4d s] docker/local-images.sh: %s\n' "$SECONDS" "$*" >&2; }

install_missing() {
    local missing=()
    command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
    ((${#missing[@]})) || return 0
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { say "missing: ${missing[*]}"; exit 1; }
    say "installing ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1
}

# build TAG FOLDER [options]: with the classic builder's own cache; its whole output when it fails
build() {
    local tag=$1 folder=$2 output before after
    shift 2
    before=$(docker image inspect --format '{{.Id}}' "$tag" 2>/dev/null || true)
    output=$(mktemp)
    if ! docker build --tag "$tag" "$@" "$folder" >"$output" 2>&1; then
        cat "$output" >&2
        rm -f "$output"
        say "$tag could not be built"
        return 1
    fi
    rm -f "$output"
    after=$(docker image inspect --format '{{.Id}}' "$tag")
    [ "$before" = "$after" ] || say "built $tag"
}

base=hipwatch-local/base:latest
if [ -n "${REBUILD:-}" ] || ! docker image inspect "$base" >/dev/null 2>&1; then
    install_missing
    docker/local/base.sh "$base"
    say "made $base"
fi

build hipwatch-local/python docker/local/python --build-arg BASE="$base"
build hipwatch-local/hipwatch . --file docker/Dockerfile --build-arg BASE=hipwatch-local/python
build hipwatch-local/postgres docker/local/postgres --build-arg BASE="$base"
build hipwatch-local/prometheus docker/local/prometheus --build-arg BASE="$base"
build hipwatch-local/alertmanager docker/local/alertmanager --build-arg BASE="$base"
docker/kafka/jars.sh >&2
build hipwatch-local/kafka docker/kafka --build-arg BASE="$base"
say "all images are there"

for what in hipwatch kafka postgres prometheus alertmanager; do
    printf 'export HIPWATCH_IMAGE_%s=hipwatch-local/%s:latest\n' "${what^^}" "$what"
done
