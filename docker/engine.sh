#!/bin/sh
# A Docker engine where none answers. Usage: docker/engine.sh start|stop
# `start` does nothing when one answers; else, on Debian as root, it installs docker.io if need be and starts the engine.
# `stop` ends the engine that `start` started, and no other.
set -eu

pid_file=/run/hipwatch-docker-engine.pid
log=/var/log/hipwatch-docker-engine.log

say() { echo "docker/engine.sh: $*" >&2; }

answers() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }

# Whether the process with that id is an engine: an id may be used again.
is_engine() { [ "$(cat "/proc/$1/comm" 2>/dev/null)" = dockerd ]; }

install_engine() {
    command -v dockerd >/dev/null && command -v docker >/dev/null && command -v iptables >/dev/null && return
    command -v apt-get >/dev/null || { say "no engine is installed, and this is no Debian to install one on"; exit 1; }
    say "installing docker.io"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # The package must not start a service of its own: we start the engine, so that we may stop it.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    apt-get install -y -qq --no-install-recommends docker.io iptables >/dev/null
}

start() {
    answers && return
    [ "$(id -u)" = 0 ] || { say "no Docker engine answers, and only root can start one"; exit 1; }
    install_engine
    # A killed engine leaves these behind, and the next one waits for their owner and dies.
    for stale in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
        if [ -e "$stale" ] && ! kill -0 "$(cat "$stale")" 2>/dev/null; then rm -f "$stale"; fi
    done
    setsid dockerd --storage-driver=overlay2 >"$log" 2>&1 </dev/null &
    echo $! >"$pid_file"
    waited=0
    until answers; do
        if ! kill -0 "$(cat "$pid_file")" 2>/dev/null || [ "$waited" -gt 300 ]; then
            say "the engine did not come up; the end of $log:"
            tail -n 20 "$log" >&2
            rm -f "$pid_file"
            exit 1
        fi
        waited=$((waited + 1))
        sleep 0.1
    done
    say "engine started (log: $log)"
}

stop() {
    [ -e "$pid_file" ] || return 0
    pid=$(cat "$pid_file")
    rm -f "$pid_file"
    is_engine "$pid" || return 0
    kill -TERM "$pid"
    while is_engine "$pid"; do sleep 0.1; done
    say "engine stopped"
}

case "${1:-}" in
    start) start ;;
    stop) stop ;;
    *) echo "usage: docker/engine.sh start|stop" >&2; exit 2 ;;
esac
