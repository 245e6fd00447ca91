#!/bin/sh
# Fetches the programs that the footprint benchmark compares with from Debian's archive and unpacks them
# into .cache/peers. Nothing is installed and no service is started: the benchmark runs them from there.
# `ss`, `lsof`, `ps`, `last`, `iptables-save` and mosquitto are taken from the system:
#   apt-get install iproute2 lsof procps util-linux iptables mosquitto
set -eu
folder=$(dirname "$0")/../.cache/peers
mkdir -p "$folder/archives"
cd "$folder/archives"
apt-get download prometheus-node-exporter collectd-core time
for package in *.deb; do dpkg-deb -x "$package" ..; done
# Libraries that the system lacks.
for program in ../usr/bin/prometheus-node-exporter ../usr/sbin/collectd ../usr/bin/time; do
  ldd "$program" | sed -n 's/ => not found//p' | while read -r library; do
    echo "$program needs $library: install the package that holds it" >&2
  done
done
