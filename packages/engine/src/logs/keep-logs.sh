#!/bin/sh
# Bounds what monitors write into logs while no daemon is there to ship or rotate them. One of these runs beside each daemon and
# sleeps until the daemon is gone.
#
#   keep-logs.sh CONTAINERS TOKEN-FILE TOKEN
#
# Standard input is a pipe that ends with the daemon. CONTAINERS/*/log/keep says, per container, the monitor's pid and how
# many bytes of the log's end are kept; what is older is given back to the filesystem as a hole, so that the monitor
# writes on undisturbed and positions stay what they are. It ends when TOKEN-FILE no longer holds TOKEN (another daemon
# has come) or when no monitor lives.
containers=$1
token_file=$2
token=$3
# Not before there is something to gain, and never for quiet logs.
slack=4194304

read -r nothing

is_mine() {
  { read -r now <"$token_file"; } 2>/dev/null && [ "$now" = "$token" ]
}

some_monitor_lives() {
  for keep in "$containers"/*/log/keep; do
    { read -r pid limit <"$keep"; } 2>/dev/null || continue
    kill -0 "$pid" 2>/dev/null && return 0
  done
  return 1
}

# A daemon that was behind may have stopped monitors for a moment, and cannot let them go on any more.
for keep in "$containers"/*/log/keep; do
  { read -r pid limit <"$keep"; } 2>/dev/null || continue
  folder=${keep%/log/keep}
  grep -qs "${folder##*/}" "/proc/$pid/cmdline" && kill -CONT "$pid" 2>/dev/null
done

trim_logs() {
  stat -c '%b %s %n' "$containers"/*/log/container.log 2>/dev/null | while read -r blocks size log; do
    [ $((blocks * 512)) -gt "$slack" ] || continue
    { read -r pid limit <"${log%/*}/keep"; } 2>/dev/null || continue
    [ $((blocks * 512)) -gt $((limit + slack)) ] || continue
    end=$(((size - limit) / 4096 * 4096))
    [ "$end" -gt 0 ] && is_mine || continue
    # Where files cannot have holes, all that is there goes.
    fallocate -p -o 0 -l "$end" "$log" 2>/dev/null || truncate -s 0 "$log"
  done
}

alive=yes
while [ $alive = yes ] && is_mine; do
  # Looked at before the trimming: the last words of the last monitor are trimmed, too.
  some_monitor_lives || alive=no
  trim_logs
  [ $alive = no ] || sleep 1
done
