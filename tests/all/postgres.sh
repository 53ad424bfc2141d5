# A private PostgreSQL cluster that lives as long as the process that started it: its standard input is a pipe from
# there, and whatever ends that process closes the pipe.
#
# postgres.sh FOLDER PORT PASSWORD
set -eu
trap '' INT TERM HUP
folder=$1 port=$2 password=$3
bin=/usr/lib/postgresql/15/bin
[ -x "$bin/initdb" ] || bin=$(pg_config --bindir 2>/dev/null) || true
case $("$bin/postgres" --version 2>/dev/null) in
    *" 15"*) ;;
    *) echo "PostgreSQL 15 is missing: run ./test, or install the package postgresql-15"; exit 1 ;;
esac
# It refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$folder"
    as_owner="runuser -u postgres --"
else
    as_owner=
fi
cd "$folder"
echo "$password" >password
chmod 644 password
$as_owner "$bin/initdb" -D "$folder/cluster" -U voxhouse -A scram-sha-256 --pwfile=password -E UTF8 --locale=C.UTF-8 \
    >initdb.log 2>&1 || { cat initdb.log; exit 1; }
settings="-c port=$port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c TimeZone=UTC"
settings="$settings -c max_connections=200 -c log_statement=none"
$as_owner "$bin/pg_ctl" -D "$folder/cluster" -w -t 60 -l "$folder/cluster/log" -o "$settings" start >/dev/null 2>&1 ||
    { cat "$folder/cluster/log"; exit 1; }
echo ready
cat >/dev/null
$as_owner "$bin/pg_ctl" -D "$folder/cluster" -m immediate stop >/dev/null 2>&1 || true
cd /
rm -rf "$folder"
