#!/bin/sh
# Writes nginx's configuration out of nginx.conf.template and the environment, and becomes nginx.
#
#   BACKEND_URL  where /api/ goes: http://HOST[:PORT], without a path (required)
#   LISTEN       as nginx's directive takes it; default: port 8080 of every address
#   HTML_ROOT    the built page; default /usr/share/kubecoin
#   RUN_DIR      for all that is written; default /tmp/nginx
#   RESOLV_CONF  default /etc/resolv.conf
set -eu

fail() {
    echo "start.sh: $1" >&2
    exit 2
}

here=$(dirname "$0")
html_root=${HTML_ROOT:-/usr/share/kubecoin}
run_dir=${RUN_DIR:-/tmp/nginx}
resolv_conf=${RESOLV_CONF:-/etc/resolv.conf}
backend=${BACKEND_URL:-}
backend=${backend%/}

printf '%s\n' "$backend" | grep -Eq '^http://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$' ||
    fail "BACKEND_URL must be http://HOST[:PORT], got '${BACKEND_URL:-}'"
[ -r "$html_root/index.html" ] || fail "HTML_ROOT has no index.html: $html_root"

# nginx has a resolver of its own. It wants IPv6 addresses in brackets and knows no zones (%eth0);
# without any, resolv.conf means the local machine.
resolvers=$(awk '
    $1 == "nameserver" && $2 !~ /%/ { printf "%s ", ($2 ~ /:/ ? "[" $2 "]" : $2); found = 1 }
    END { if (!found) printf "127.0.0.1 " }
' "$resolv_conf")

# It ignores search lists too, and in a cluster a short name needs the first entry.
host=${backend#http://}
case $host in
    *.* | \[* | localhost | localhost:*) ;;
    *)
        search=$(awk '$1 == "search" || $1 == "domain" { domain = $2 } END { print domain }' "$resolv_conf")
        name=${host%%:*}
        backend=http://$name${search:+.${search%.}}${host#"$name"}
        ;;
esac

# Without IPv6 in the kernel nginx could not open the first.
if [ -e /proc/net/if_inet6 ]; then
    everywhere='[::]:8080 ipv6only=off'
else
    everywhere=8080
fi

mkdir -p "$run_dir"
sed -e "s|@LISTEN@|${LISTEN:-$everywhere}|g" \
    -e "s|@HTML_ROOT@|$html_root|g" \
    -e "s|@RUN_DIR@|$run_dir|g" \
    -e "s|@RESOLVER@|${resolvers% }|g" \
    -e "s|@BACKEND@|$backend|g" \
    "$here/nginx.conf.template" >"$run_dir/nginx.conf"

exec nginx -e stderr -c "$run_dir/nginx.conf"
