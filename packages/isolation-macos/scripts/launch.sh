#!/bin/bash -p
# Host side. Becomes the guest: starts what watches it, limits itself, then executes the command in its own place, so that the
# process which the host spawned is the guest. Runs before the sandbox, with an empty environment, in the bash 3.2 of macOS.
#
# 3 is the guest's channel, 4 takes the reports of watch.sh, 5 those of the unified log; the guest gets 3 alone.
#
#   launch.sh MEMORY_KIB CPU_SECONDS FILE_KIB PROCESSES LOG COMMAND [ARGUMENT]...
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
  [ "$had" -le "$2" ] || fail "ulimit $1 $2 was refused, and the limit is $had"
}

[ $# -ge 6 ] || fail 'launch.sh wants six arguments at least'
memory=$1 cpu=$2 file=$3 processes=$4 log=$5
shift 5

# The child of what becomes the guest: as long as it is, the guest lives. Only then can it do it any harm.
/bin/bash -p "${0%/*}/watch.sh" $$ "$memory" "$cpu" "$log" </dev/null 2>/dev/null 3>&- >&4 4>&- &

limit -c 0
limit -n 64
[ -z "$cpu" ] || limit -t "$cpu"
[ -z "$file" ] || limit -f "$file"
# Last: from here on nothing can be started, only executed in place.
[ -z "$processes" ] || limit -u "$processes"

exec -c "$@" 4>&- 5>&-
