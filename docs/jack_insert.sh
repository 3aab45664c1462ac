#!/bin/sh
# semeq as an insert: PLAYER → semeq → RECEIVER, all of them JACK clients.
#
#   semeq live --make "warm:0.5" --client-name vocals --no-connect &
#   sh jack_insert.sh vocals player:out_1 player:out_2 recorder:in_1 recorder:in_2
#
# With a DAW: its send ports in place of player:out_1 and player:out_2, its return ports in place of recorder:in_1
# and recorder:in_2 (Ardour: an insert; Bitwig, Reaper: a hardware insert on JACK ports). Carla's patchbay and
# qpwgraph show the same ports, to be wired with the mouse.
set -eu
name=$1 send_1=$2 send_2=$3 return_1=$4 return_2=$5

tries=0
until jack_lsp | grep -q "^$name:out_1$"; do # it is there in a second or two
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo "there is no $name on JACK: start semeq live --client-name $name" >&2; exit 1; }
    sleep 0.1
done
jack_connect "$send_1" "$name:in_0"
jack_connect "$send_2" "$name:in_1"
jack_connect "$name:out_0" "$return_1"
jack_connect "$name:out_1" "$return_2"
