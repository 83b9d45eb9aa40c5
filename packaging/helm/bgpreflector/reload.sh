# shellcheck shell=sh
# Has the daemon reload its configuration whenever the file's folder has got new contents.
# 78: the daemon refuses the new one and keeps the former; with other errors it is tried again.
trap 'exit 0' TERM INT
folder=${CONFIG%/*}
seen=$(readlink "$folder/..data")
while sleep "$SECONDS_BETWEEN" & wait $!; do
    now=$(readlink "$folder/..data")
    [ "$now" = "$seen" ] && continue
    bgpreflector reload --config "$CONFIG"
    code=$?
    if [ "$code" = 0 ] || [ "$code" = 78 ]; then
        seen=$now
    fi
done
