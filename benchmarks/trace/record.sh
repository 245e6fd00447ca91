#!/usr/bin/env bash
# Records what a gateway's routine work starts and connects to: real commands under strace, as root on
# Debian 12 with strace, curl, python3, iproute2 and openssl installed. Writes one strace log per
# portion of the day into the folder named on the command line; convert.ts makes the trace of them.
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
out=${1:?usage: record.sh FOLDER}
mkdir -p "$out"
work=$(mktemp -d /var/tmp/gateway.XXXXXX)
mkdir -p "$work/www" "$work/log" "$work/spool"
head -c 20000 /dev/urandom | base64 >"$work/www/status.json"
python3 -m http.server --bind 127.0.0.1 --directory "$work/www" 18080 >/dev/null 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
sleep 1

tick() {
  sh -c 'df -P / | awk "NR==2 {print \$5}"'
  sh -c 'awk "{print \$1}" /proc/loadavg; cat /proc/meminfo | grep MemAvailable'
  ip -s link show
  ip route show default
  ss -s
  curl -s -m 5 -o "$work/spool/status.json" http://127.0.0.1:18080/status.json
  sh -c 'for f in /sys/class/net/*; do cat "$f/operstate"; done'
  sh -c 'ps -e -o pid,comm | wc -l'
  date -u +%FT%TZ
  sh -c "tail -n 5 $work/spool/status.json | md5sum | cut -c1-32"
  logger -p daemon.info -t gateway-health "tick" 2>/dev/null || true
  stat -c %Y "$work/spool/status.json"
}

hourly() {
  find "$work/log" -type f -mmin +60 -delete
  sh -c "cp $work/spool/status.json $work/log/status.\$(date +%s) && gzip -9 $work/log/status.*"
  run-parts --test /etc/cron.hourly
  python3 -c 'import json,sys; json.dump({"uptime": open("/proc/uptime").read().split()[0]}, sys.stdout)'
  openssl x509 -checkend 86400 -noout -in "$(find /etc/ssl/certs -name '*.pem' | head -1)" || true
  curl -s -m 5 -o /dev/null --retry 2 http://127.0.0.1:18080/
  sh -c 'journalctl --version || true'
  sync
}

daily() {
  sh -c 'dpkg-query -W -f "\${Package} \${Version}\n" | sort | sha256sum'
  apt-get -s -qq upgrade || true
  tar czf "$work/spool/backup.tgz" -C /etc hostname hosts passwd group ssl/openssl.cnf
  sha256sum "$work/spool/backup.tgz"
  run-parts --test /etc/cron.daily
  find /usr/local/bin -type f -perm -4000
  sh -c 'getent passwd | awk -F: "\$3 >= 1000 {print \$1}"'
  curl -s -m 5 -T "$work/spool/backup.tgz" -o /dev/null http://127.0.0.1:18080/backup || true
}

session() {
  sh -c 'id; whoami; groups'
  ls -la /etc
  sh -c 'grep -c processor /proc/cpuinfo'
  ps aux
  sh -c 'ss -tnp | head'
  less -F /etc/hosts </dev/null || true
  sh -c 'du -s /var/log'
  dmesg --version
}

export -f tick hourly daily session
export work
for portion in tick hourly daily session; do
  strace -f -ttt -s 2000 -e trace=execve,connect -e signal=none -o "$out/$portion.strace" \
    bash -c "$portion" >/dev/null 2>&1 || true
  echo "$portion: $(grep -c 'execve(' "$out/$portion.strace") execve calls"
done
