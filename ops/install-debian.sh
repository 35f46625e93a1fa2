#!/bin/sh
# Install system packages that the local stack and the tests run.
# Usage: ops/install-debian.sh python|prometheus|alertmanager|java|maven|postgresql|pgbouncer|kcat|openssl|sqlite3 …
# Does nothing for what is there already; away from Debian, or without root, it says what is missing and goes on.
set -eu

missing=""
for what in "$@"; do
    case "$what" in
        python) python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3 python3-venv" ;;
        prometheus) command -v prometheus >/dev/null || missing="$missing prometheus" ;;
        alertmanager)
            command -v prometheus-alertmanager >/dev/null || command -v alertmanager >/dev/null ||
                missing="$missing prometheus-alertmanager" ;;
        java) command -v java >/dev/null || missing="$missing openjdk-17-jre-headless" ;;
        maven) command -v mvn >/dev/null || missing="$missing maven" ;;
        postgresql) ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql" ;;
        pgbouncer) PATH=$PATH:/usr/sbin command -v pgbouncer >/dev/null || missing="$missing pgbouncer" ;;
        kcat | openssl | sqlite3) command -v "$what" >/dev/null || missing="$missing $what" ;;
        *) echo "ops/install-debian.sh: '$what' is not known" >&2; exit 2 ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed, and not mine to install here:$missing" >&2
    exit 0
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# A package must not start a service of its own: policy-rc.d says no while we install, where nobody else decides it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
mkdir -p /usr/share/man/man1 # minimal images lack it, and a JRE cannot be installed without
# shellcheck disable=SC2086 # a list of packages
apt-get install -y -qq --no-install-recommends $missing >/dev/null
