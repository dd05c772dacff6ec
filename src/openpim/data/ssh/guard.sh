#!/bin/sh
# OpenPIM session guard, for hosts that take OpenPIM's certificates. In sshd_config:
#
#     ExposeAuthInfo yes
#     ForceCommand /usr/local/libexec/openpim-guard /etc/ssh/openpim/krl
#
# Ends a session when its certificate ends, or when the certificate is on the revocation list; and refuses new sessions
# over a connection that was opened before. Sessions that were not opened by a certificate are left alone.
# It runs as the person: who may log in could leave it behind on purpose (setsid). The host agent ends that too.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
krl=${1-}
shell=${SHELL:-/bin/sh}

refuse() {
    printf 'OpenPIM: %s\r\n' "$1" >&2
    exit 77
}

# Kills every process of this session; so it ends with itself.
end_session() {
    trap '' HUP INT TERM QUIT
    printf '\r\nOpenPIM: %s\r\n' "$1" >&2
    session=$(ps -o sid= -p $$ | tr -d ' ')
    if [ -n "$session" ] && command -v pkill >/dev/null; then
        pkill -HUP -s "$session"
        sleep 1
        pkill -KILL -s "$session"
    fi
    kill -s KILL 0
}

revoked() {
    [ -n "$krl" ] || return 1
    ! printf '%s\n' "$certificate" | ssh-keygen -Q -f "$krl" /dev/stdin >/dev/null 2>&1
}

start() {
    if [ -n "${SSH_ORIGINAL_COMMAND-}" ]; then
        "$@" "$shell" -c "$SSH_ORIGINAL_COMMAND"
    else
        "$@" "$shell" -l
    fi
}

[ -r "${SSH_USER_AUTH-}" ] || refuse 'no session without ExposeAuthInfo yes in sshd_config'
certificate=$(sed -n 's/^publickey \([^ ]*-cert-v01@openssh\.com [^ ]*\).*$/\1/p' "$SSH_USER_AUTH" | head -n 1)
if [ -z "$certificate" ]; then
    start exec
    exit 1
fi

until=$(printf '%s\n' "$certificate" | TZ=UTC0 ssh-keygen -L -f - | sed -n 's/^ *Valid: from [^ ]* to \([^ ]*\)$/\1/p')
end=$(TZ=UTC0 date -d "$until" +%s 2>/dev/null) || refuse 'the end of the certificate cannot be read'
left=$((end - $(date +%s)))
[ "$left" -gt 0 ] || refuse 'your privilege has ended; activate it again'
if revoked; then refuse 'your privilege was ended; activate it again'; fi

if [ -n "$krl" ]; then
    (
        seen=$(stat -c '%i %Y %s' "$krl" 2>&1)
        while sleep 5; do
            kill -0 $$ 2>/dev/null || exit 0
            now=$(stat -c '%i %Y %s' "$krl" 2>&1)
            [ "$now" != "$seen" ] || continue
            seen=$now
            if revoked; then end_session 'your privilege was ended'; fi
        done
    ) </dev/null >/dev/null &
    watcher=$!
fi
start timeout --foreground -s HUP -k 2 "$left"
status=$?
[ -z "${watcher-}" ] || kill "$watcher" 2>/dev/null
if [ "$(date +%s)" -ge "$end" ]; then end_session 'your privilege has ended'; fi
exit "$status"
