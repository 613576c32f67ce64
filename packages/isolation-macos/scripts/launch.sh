#!/bin/bash -p
# Host side. Becomes the guest: starts what watches it, limits itself, then executes the command in its own place, so that the
# process which the host spawned is the guest. Runs before the sandbox, in the bash 3.2 of macOS; -p, to take no orders from the
# environment, which is the guest's.
#
# 3 is the guest's channel, 4 takes the reports of watch.sh, 5 those of the unified log; the guest gets 3 alone.
#
#   launch.sh MEMORY_KIB CPU_SECONDS FILE_KIB OPEN_FILES PROCESSES LOG COMMAND [ARGUMENT]...
#
# An empty word means no such limit, or no log. Exits with 125 when a limit cannot be set: then nothing was run.
set -f

fail() {
  printf 'confine: %s\n' "$1" >&2
  exit 125
}

# Soft and hard at once: what the guest cannot raise. A limit that is as low already is as good.
limit() {
  ulimit "$1" "$2" 2>/dev/null && return
  had=$(ulimit -H "$1")
  case $had in '' | *[!0-9]*) fail "ulimit $1 $2 was refused, and the limit is $had" ;; esac
  [ "$had" -le "$2" ] 2>/dev/null || fail "ulimit $1 $2 was refused, and the limit is $had"
}

[ $# -ge 7 ] || fail 'launch.sh wants seven arguments at least'
memory=$1 cpu=$2 file=$3 files=$4 processes=$5 log=$6
shift 6

# The child of what becomes the guest: as long as it is, the guest lives. Only then can it do it any harm.
/usr/bin/env -i /bin/bash -p "${0%/*}/watch.sh" $$ "$memory" "$cpu" "$log" </dev/null 2>/dev/null 3>&- >&4 4>&- &

limit -c 0
[ -z "$files" ] || limit -n "$files"
[ -z "$cpu" ] || limit -t "$cpu"
[ -z "$file" ] || limit -f "$file"
# Last: from here on nothing can be started, only executed in place.
[ -z "$processes" ] || limit -u "$processes"

exec -c "$@" 4>&- 5>&-
