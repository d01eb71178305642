# Installs the MariaDB server that apt offers, without a data directory of its own being served.
# Run by `sh`, as root. What it changes for that is put back at the end, however it ends.
set -eu

policy=/usr/sbin/policy-rc.d
made_policy=no

restore() {
    if [ "$made_policy" = yes ]; then rm -f "$policy"; fi
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

export DEBIAN_FRONTEND=noninteractive

# Maintainer scripts ask this file before they start a service; 101 is "no".
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

install() {
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends mariadb-server </dev/null
}
# Stale package lists name files that are gone from the mirrors.
install || { apt-get -qq update && install; }
