#!/bin/sh
# A Debian base image from this machine's own package sources. Usage: docker/local/base.sh IMAGE:TAG
# It trusts what this machine trusts (certificates, how strict apt is, pip's settings), so that builds on it reach what we reach.
set -eu

image=$1
sources=/etc/apt/sources.list.d/debian.sources
[ -e "$sources" ] || sources=/etc/apt/sources.list
# shellcheck source=/dev/null
. /etc/os-release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/etc/apt/apt.conf.d" "$work/usr/local/share/ca-certificates" "$work/usr/sbin"
apt-config dump | grep -E '^Acquire::Check-' >"$work/etc/apt/apt.conf.d/99local" || true
cat >>"$work/etc/apt/apt.conf.d/99local" <<'END'
APT::Install-Recommends "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
END
find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$work/usr/local/share/ca-certificates/" \;
if [ -e /etc/pip.conf ]; then cp /etc/pip.conf "$work/etc/"; fi
printf '#!/bin/sh\nexit 101\n' >"$work/usr/sbin/policy-rc.d" # a package must not start a service of its own
chmod 755 "$work" "$work/usr/sbin/policy-rc.d"

# shellcheck disable=SC2016 # $1 is mmdebstrap's
# The C locale would make PostgreSQL's clusters SQL_ASCII.
mmdebstrap --quiet --variant=minbase --include=ca-certificates \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="copy-in $work/etc $work/usr /" \
    --customize-hook='chroot "$1" update-ca-certificates >/dev/null 2>&1' \
    --customize-hook='mkdir -p "$1/usr/share/man/man1"; rm -f "$1"/var/cache/apt/*.bin' \
    --format=tar "$VERSION_CODENAME" - "$sources" |
    docker import --change 'ENV LANG=C.UTF-8' --change 'CMD ["bash"]' \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$image" >/dev/null
