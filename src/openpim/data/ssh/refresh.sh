#!/bin/sh
# OpenPIM refresh, for hosts that take OpenPIM's certificates: fetches the key to trust and the list of what was revoked.
# Run it as root every minute (cron, a systemd timer):
#
#     openpim-refresh ADDRESS [LONGEST]
#
# ADDRESS is the target's, as `pim ssh ca` prints it. LONGEST, in seconds: when nothing could be fetched for so long,
# OpenPIM's key is trusted no longer, so that no revocation is missed; other ways to log in stay as they are. sshd reads
# both files at each login:
#
#     TrustedUserCAKeys /etc/ssh/openpim/ca.pub
#     RevokedKeys /etc/ssh/openpim/krl
set -u
PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022
address=$1
longest=${2:-0}
folder=${OPENPIM_FOLDER:-/etc/ssh/openpim}
mkdir -p "$folder" && cd "$folder" || exit 1
[ -f krl ] || ssh-keygen -q -k -f krl || exit 1

# Fetched beside and renamed, so that sshd never reads half of it.
fetch() {
    curl --silent --show-error --fail --max-time 20 --proto '=https' --output ".$1.new" "$address/$1" || return 1
    [ -s ".$1.new" ] && mv -f ".$1.new" "$1"
}

if fetch krl && fetch ca.pub; then
    touch .fetched
    exit 0
fi
rm -f .krl.new .ca.pub.new
if [ "$longest" -gt 0 ]; then
    fetched=$(stat -c %Y .fetched 2>/dev/null || echo 0)
    if [ $(($(date +%s) - fetched)) -gt "$longest" ]; then
        : >.ca.pub.new && mv -f .ca.pub.new ca.pub
        echo "openpim-refresh: nothing fetched for $longest s; OpenPIM's certificates are not taken" >&2
    fi
fi
exit 1
