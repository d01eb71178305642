#!/bin/sh
# Stands in for the server in this crate's own tests: names an address that counts its starts, and serves nobody.
if [ -n "$STAND_IN_FAILS" ]; then
    echo 'error: no master key' >&2
    exit 1
fi
echo start >>"$SELVEDGE_DATA_DIR/starts"
echo "listening on http://127.0.0.1:$(wc -l <"$SELVEDGE_DATA_DIR/starts")"
exec tail -f /dev/null
