#!/bin/sh
# A private PostgreSQL on loopback for the tests of the database sinks.
#
#   tests/postgres.sh start [DIR]    make and start a cluster in DIR (default: a fresh temporary directory);
#                                    prints lines for `eval`: export RARECASE_TEST_POSTGRES=…, PGPASSWORD=…
#   tests/postgres.sh stop DIR       stop the cluster of DIR and remove DIR
#
# DIR is printed too, as RARECASE_TEST_POSTGRES_DIR. PostgreSQL refuses to run as root, so as root everything is
# done by the user `postgres` of Debian's packages. fsync stays on: the figures of the benchmarks include it.
set -eu

fail() { echo "postgres.sh: $1" >&2; exit 1; }

bin_directory() {
    if command -v initdb >/dev/null 2>&1; then dirname "$(command -v initdb)"; return; fi
    for candidate in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -rn); do
        if [ -x "$candidate/initdb" ]; then echo "$candidate"; return; fi
    done
    fail "no initdb found; install Debian's package postgresql"
}

as_postgres() {
    if [ "$(id -u)" -ne 0 ]; then "$@"; return; fi
    if command -v runuser >/dev/null 2>&1; then runuser -u postgres -- "$@"; else su postgres -s /bin/sh -c "$*"; fi
}

free_port() {
    "${PYTHON:-python3}" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
    bin=$(bin_directory)
    if [ -n "${1:-}" ]; then dir=$1; mkdir -p "$dir"; else dir=$(mktemp -d "${TMPDIR:-/tmp}/rarecase-postgres.XXXXXX"); fi
    password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
    (umask 077; printf '%s\n' "$password" > "$dir/password")
    if [ "$(id -u)" -eq 0 ]; then chown -R postgres "$dir"; fi
    as_postgres "$bin/initdb" -D "$dir/data" -U rarecase -A scram-sha-256 --pwfile="$dir/password" \
        -E UTF8 --locale=C >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; fail "initdb failed"; }
    # Another process may take the port between the question and the bind: try a few.
    for attempt in 1 2 3 4 5; do
        port=$(free_port)
        if as_postgres "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -w -t 60 -o \
            "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='' -c max_wal_size=4GB -c shared_buffers=256MB" \
            start >/dev/null 2>&1
        then
            echo "export RARECASE_TEST_POSTGRES=postgresql://rarecase@127.0.0.1:$port/postgres"
            echo "export PGPASSWORD=$password"
            echo "export RARECASE_TEST_POSTGRES_DIR=$dir"
            return
        fi
    done
    cat "$dir/data/server.log" >&2
    fail "the server did not start"
}

stop() {
    dir=${1:?usage: postgres.sh stop DIR}
    [ -f "$dir/data/PG_VERSION" ] || fail "$dir holds no cluster"
    as_postgres "$(bin_directory)/pg_ctl" -D "$dir/data" -m fast -w stop >/dev/null || true
    rm -rf "$dir/data" "$dir/password" "$dir/initdb.log"
    rmdir "$dir" 2>/dev/null || true
}

case "${1:-}" in
    start) start "${2:-}" ;;
    stop) stop "${2:-}" ;;
    *) fail "usage: postgres.sh start [DIR] | stop DIR" ;;
esac
