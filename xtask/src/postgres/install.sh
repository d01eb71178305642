# Installs the newest PostgreSQL server that apt offers, without a database cluster and without starting a service.
# Run by `sh`, as root. What it changes for that is put back at the end, however it ends.
set -eu

policy=/usr/sbin/policy-rc.d
cluster_folder=/etc/postgresql-common/createcluster.d
cluster_setting="$cluster_folder/selvedge-no-cluster.conf"
made_policy=no

restore() {
    rm -f "$cluster_setting"
    rmdir "$cluster_folder" 2>/dev/null || true
    if [ "$made_policy" = yes ]; then rm -f "$policy"; fi
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

export DEBIAN_FRONTEND=noninteractive

newest() {
    apt-cache search --names-only '^postgresql-[0-9]+$' |
        sed -n 's/^postgresql-\([0-9]*\) .*/\1/p' | sort -n | tail -n 1
}

version=$(newest)
if [ -z "$version" ]; then
    apt-get -qq update
    version=$(newest)
fi
if [ -z "$version" ]; then
    echo "apt knows no package called postgresql-NN" >&2
    exit 1
fi

# Maintainer scripts ask this file before they start a service; 101 is "no".
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
# No default cluster either, so that nothing starts with the next boot.
mkdir -p "$cluster_folder"
echo 'create_main_cluster = false' >"$cluster_setting"

install() {
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "postgresql-$version" </dev/null
}
# Stale package lists name files that are gone from the mirrors.
install || { apt-get -qq update && install; }
