# Run as `sh -c`, with the Python that does the same as its only argument. stdout carries a DNS connection and nothing
# else; what is to be told goes to stderr, in lines that begin with `#`.
#
# Whatever is killed here is waited for too. An orphan is left to the container's first process, and a PostgreSQL that finds
# a process killed takes it for one of its own that has crashed: it ends all connections, and recovers.
has() { command -v "$1" >/dev/null 2>&1; }
bridge=none libc=none
if has nc; then bridge=nc; elif has bash; then bridge=bash; fi
if has getent; then libc=getent; fi
if { [ "$bridge" = none ] || [ "$libc" = none ]; } && has python3; then exec python3 -c "$1"; fi
echo "#bridge $bridge" >&2
echo "#libc $libc" >&2
while IFS= read -r line || [ -n "$line" ]; do printf '#resolv %s\n' "$line" >&2; done </etc/resolv.conf
echo '#ready' >&2
# A line says whom to ask, and what to look up as an application does. What follows is the connection.
read -r server names || exit 0
set -f
exec 4<&0
index=0 lookups=
for name in $names; do
  [ "$libc" = getent ] || break
  {
    found=$(getent ahosts "$name")
    code=$?
    addresses=$(printf '%s\n' "$found" | while read -r address rest; do printf '%s ' "$address"; done)
    echo "#look $index $code $addresses" >&2
  } >/dev/null </dev/null &
  lookups="$lookups $!"
  index=$((index + 1))
done
case $bridge in
nc) nc "$server" 53 <&4 & ;;
bash)
  bash -c '
    exec 4<&0 3<>"/dev/tcp/$0/53" || exit 1
    trap "kill \$(jobs -p) 2>/dev/null; wait" EXIT
    trap "exit 1" TERM
    cat <&4 >&3 & cat <&3 &
    wait -n' "$server" <&4 &
  ;;
esac
relay=$!
# Should nobody listen any more, it ends by itself.
(
  trap 'kill "$nap"; wait "$nap"; exit' TERM
  sleep 20 &
  nap=$!
  wait "$nap" && kill "$relay"
) >/dev/null 2>&1 </dev/null &
limit=$!
wait "$relay"
echo "#closed $?" >&2
kill "$limit" 2>/dev/null
wait
