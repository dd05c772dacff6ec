#!/bin/sh
# OpenPIM principals command, for hosts that ask at every login instead of fetching a revocation list. In sshd_config:
#
#     AuthorizedPrincipalsCommand /usr/local/libexec/openpim-principals ADDRESS %u %s
#     AuthorizedPrincipalsCommandUser nobody
#
# ADDRESS is the target's, as `pim ssh ca` prints it. Who may come in as %u stands on the host, one principal a line, in
# /etc/ssh/openpim/principals/%u; without that file only the principal of the same name. Nobody gets in when OpenPIM does
# not answer.
PATH=/usr/local/bin:/usr/bin:/bin
address=$1
user=$2
serial=$3
case $user in '' | -* | .* | */*) exit 1 ;; esac
case $serial in '' | *[!0-9]*) exit 1 ;; esac
live=$(curl --silent --fail --max-time 5 --proto '=https' "$address/live?serial=$serial") || exit 1
[ -n "$live" ] || exit 0
known=${OPENPIM_FOLDER:-/etc/ssh/openpim}/principals/$user
if [ -f "$known" ]; then
    printf '%s\n' "$live" | grep -Fx -f "$known"
else
    printf '%s\n' "$live" | grep -Fx -e "$user"
fi
exit 0
