#!/usr/bin/env bash
# Keeps the contract of the official image's entrypoint: docker-entrypoint.sh [postgres] [OPTION...] | COMMAND [ARG...]
#
# As there, an initialisation that is cut short is not noticed by the next start, which finds PG_VERSION and skips it:
# a stand-in that repaired this would hide from tests what users of the official image meet.
set -euo pipefail
shopt -s nullglob

fail() {
    printf 'Error: %s\n' "$@" >&2
    exit 1
}

# setting NAME [DEFAULT]: exports NAME from itself, from the file that NAME_FILE names, or as DEFAULT.
setting() {
    local name=$1 file_name=$1_FILE
    local value=${!name:-} file=${!file_name:-}
    if [[ $file ]]; then
        [[ ! $value ]] || fail "$name and $file_name are both set (but are exclusive)"
        value=$(<"$file")
    fi
    export "$name=${value:-${2:-}}"
    # Unset, for the same reading again after the change of user.
    unset "$file_name"
}

read_settings() {
    setting POSTGRES_USER postgres
    setting POSTGRES_PASSWORD
    setting POSTGRES_DB "$POSTGRES_USER"
    setting POSTGRES_INITDB_ARGS
}

# give_to_postgres MODE DIRECTORY: makes it and, as root, owns anew what is not the server's.
give_to_postgres() {
    mkdir -p "$2"
    # Not ours to change where the pod's volumes say otherwise; the server has the last word on what it needs.
    chmod "$1" "$2" || true
    ((EUID)) || find "$2" \! -user postgres -exec chown postgres:postgres {} +
}

make_directories() {
    give_to_postgres 00700 "$PGDATA"
    give_to_postgres 03775 /var/run/postgresql || true
    [[ ! ${POSTGRES_INITDB_WALDIR:-} ]] || give_to_postgres 00700 "$POSTGRES_INITDB_WALDIR"
}

require_password() {
    if [[ ! $POSTGRES_PASSWORD && ${POSTGRES_HOST_AUTH_METHOD:-} != trust ]]; then
        fail 'Database is uninitialized and superuser password is not specified.' \
            'Set POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE), or POSTGRES_HOST_AUTH_METHOD=trust to let everyone in without one.'
    fi
}

# initdb asks for the name of the user that runs it, which an arbitrary user of the container does not have.
name_user() {
    getent passwd "$EUID" >/dev/null && return
    NSS_WRAPPER_PASSWD=$(mktemp)
    NSS_WRAPPER_GROUP=$(mktemp)
    printf 'postgres:x:%s:%s::%s:/bin/false\n' "$EUID" "$(id -g)" "$PGDATA" >"$NSS_WRAPPER_PASSWD"
    printf 'postgres:x:%s:\n' "$(id -g)" >"$NSS_WRAPPER_GROUP"
    export LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
}

unname_user() {
    [[ ${NSS_WRAPPER_PASSWD:-} ]] || return 0
    rm -f "$NSS_WRAPPER_PASSWD" "$NSS_WRAPPER_GROUP"
    unset LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
}

create_cluster() {
    local arguments=()
    # Quotes in it group words, as in a shell.
    eval "arguments=($POSTGRES_INITDB_ARGS)"
    [[ ! ${POSTGRES_INITDB_WALDIR:-} ]] || arguments+=(--waldir "$POSTGRES_INITDB_WALDIR")
    name_user
    # A pipe keeps the password out of the list of processes.
    if [[ $POSTGRES_PASSWORD ]]; then
        initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${arguments[@]}"
    else
        initdb --username="$POSTGRES_USER" "${arguments[@]}"
    fi
    unname_user
}

# initdb trusts the socket and loopback; every other address authenticates.
allow_hosts() {
    local method=${POSTGRES_HOST_AUTH_METHOD:-}
    printf '\nhost all all all %s\n' "${method:-$(postgres -C password_encryption "$@")}" >>"$PGDATA/pg_hba.conf"
}

# Listens on the socket alone, so that nobody takes a half-initialised server for the real one.
start_temporary_server() {
    set -- "$@" -c listen_addresses= -p "${PGPORT:-5432}"
    PGUSER=${PGUSER:-$POSTGRES_USER} pg_ctl -w -o "${*@Q}" start
}

stop_temporary_server() {
    pg_ctl -w -m fast stop
}

# Runs psql against the temporary server; also for use by sourced scripts.
docker_process_sql() {
    PGHOST='' PGHOSTADDR='' psql --no-psqlrc --no-password -v ON_ERROR_STOP=1 \
        --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" "$@"
}

create_database() {
    local known
    known=$(docker_process_sql --dbname postgres -At -v name="$POSTGRES_DB" \
        <<<"SELECT 1 FROM pg_database WHERE datname = :'name'")
    [[ $known ]] || docker_process_sql --dbname postgres -v name="$POSTGRES_DB" <<<'CREATE DATABASE :"name"'
}

run_script() {
    printf '%s: running %s\n' "$0" "$1"
    case $1 in
        *.sh)
            if [[ -x $1 ]]; then
                "$1"
            else
                # shellcheck disable=SC1090 # whatever the user mounted
                . "$1"
            fi
            ;;
        *.sql) docker_process_sql -f "$1" ;;
        *.sql.gz) gzip -dc "$1" | docker_process_sql ;;
        *.sql.xz) xz -dc "$1" | docker_process_sql ;;
        *.sql.zst) zstd -dc "$1" | docker_process_sql ;;
        *) printf '%s: ignoring %s\n' "$0" "$1" ;;
    esac
}

initialise() {
    local script
    require_password
    create_cluster
    allow_hosts "$@"
    # For a cluster whose POSTGRES_INITDB_ARGS demand the password on the socket too.
    export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
    start_temporary_server "$@"
    create_database
    for script in /docker-entrypoint-initdb.d/*; do
        run_script "$script"
    done
    stop_temporary_server
    unset PGPASSWORD
    printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

# Whether the command is the server and means to serve.
serves() {
    [[ $1 == postgres ]] || return
    local argument
    for argument in "${@:2}"; do
        case $argument in
            '-?' | --help | --describe-config | -V | --version) return 1 ;;
        esac
    done
}

main() {
    [[ ${1:-} != -* ]] || set -- postgres "$@"
    if serves "$@"; then
        read_settings
        make_directories
        if ((EUID == 0)); then
            export HOME=/var/lib/postgresql
            exec setpriv --reuid postgres --regid postgres --init-groups -- "$0" "$@"
        fi
        if [[ -s $PGDATA/PG_VERSION ]]; then
            printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
        else
            initialise "${@:2}"
        fi
    fi
    exec "$@"
}

main "$@"
