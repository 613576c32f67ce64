#!/bin/bash -p
# Host side. Looks at the guest from outside the sandbox, ends it when it reached a limit, or when the host is gone.
#
#   watch.sh GUEST MEMORY_KIB CPU_SECONDS LOG
#
# Is a child of the guest. While its own parent is the guest, that number is the guest's, and nobody else has it. Reports to
# standard output, the host's socket, one line each: `used KIB TIME`, `limit memory`, `limit cpu`. Copies the log's
# reports to 5. Runs in the bash 3.2 of macOS, and with the ps of Linux in tests.
set -f
# Handlers, not '': what is ignored would be ignored by ps and log, too.
trap : HUP INT QUIT TERM PIPE

guest=$1 memory=$2 cpu=$3 log=$4
log_pid=
last=
pause=0.05
misses=0
writer=

# The log is behind: what the guest did last is still to come.
finish() {
  [ -z "$log_pid" ] || { /bin/sleep 0.7; kill -KILL "$log_pid"; }
  exit 0
}

end_guest() {
  kill -KILL "$guest"
  finish
}

# A host that does not read must not keep anybody from looking: another process writes, and waits for it. While that one waits,
# nothing is said; when it could not write, the host is gone.
report() {
  if [ -n "$writer" ]; then
    kill -0 "$writer" 2>/dev/null && return
    wait "$writer" || end_guest
  fi
  printf '%s\n' "$@" &
  writer=$!
}

# The host should hear of the limit before it sees the end, and not be waited for.
end_at_limit() {
  report "used $used $time" "limit $1"
  /bin/sleep 0.05
  end_guest
}

# [[dd-]hh:]mm:ss[.cc] of ps as whole seconds.
seconds_of() {
  local part sum=0 parts=${1%%.*}
  for part in ${parts//[-:]/ }; do sum=$((sum * 60 + 10#$part)); done
  seconds=$sum
}

if [ -n "$log" ]; then
  # The kernel's own messages about this process alone. What another guest wrote into a path is told apart by the reader.
  printf 'guest %s\n' "$guest" >&5
  "$log" stream --style ndjson --predicate "processID == 0 AND senderImagePath ENDSWITH \"/Sandbox\" AND eventMessage CONTAINS \"($guest) deny(\"" >&5 &
  log_pid=$!
fi
exec 5>&-

while :; do
  # One keyword an option: to the ps of macOS, what follows a = is a heading up to the end of the word.
  set -- $(/bin/ps -o pid= -o ppid= -o rss= -o time= -p "$guest,$$")
  case $# in
    8)
      misses=0
      if [ "$1" = "$guest" ]; then parent=$6 used=$3 time=$4; else parent=$2 used=$7 time=$8; fi
      [ "$parent" = "$guest" ] || finish
      ;;
    4) finish ;;
    *)
      # It cannot look: no process is to be had. A guest that nobody watches is ended.
      misses=$((misses + 1))
      [ "$misses" -lt 5 ] || end_guest
      /bin/sleep 0.2 || end_guest
      continue
      ;;
  esac

  if [ -n "$memory" ] && [ "$used" -gt "$memory" ]; then
    end_at_limit memory
  fi
  if [ -n "$cpu" ]; then
    seconds_of "$time"
    if [ "$seconds" -ge "$cpu" ]; then
      end_at_limit cpu
    fi
  fi
  report "used $used $time"

  # A guest that does nothing is looked at each second; a busy one more often, and above half of its memory most.
  if [ "$used $time" = "$last" ]; then
    pause=1
  elif [ -n "$memory" ] && [ $((used * 2)) -gt "$memory" ]; then
    pause=0.05
  else
    pause=0.25
  fi
  last="$used $time"
  /bin/sleep "$pause"
done
