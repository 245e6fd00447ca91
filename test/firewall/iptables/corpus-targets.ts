import { forBoth, forIpv4, forIpv6, type RuleSet } from "./rule-set.ts";

/** One rule set for each group of targets of iptables-extensions(8). */
export const TARGET_RULE_SETS: readonly RuleSet[] = [
  forBoth("user chains with jumps, gotos and returns", {
    filter: [
      ":guard",
      ":a.b-c_d:e",
      ":empty",
      "INPUT -j guard",
      "INPUT -p tcp -g a.b-c_d:e",
      "INPUT ! -p udp -j empty",
      "guard -s @net@ -j RETURN",
      "guard -i lo -g empty",
      "guard -j DROP",
      "a.b-c_d:e -p tcp --dport 1 -j guard",
      "a.b-c_d:e",
    ],
  }),
  forBoth("rules without a target", {
    filter: ["INPUT", "INPUT -p tcp", '[1:2] -A INPUT -m comment --comment "only counts"'],
  }),
  forBoth("reject", {
    filter: [
      "INPUT -j REJECT",
      "INPUT -j REJECT --reject-with @unreachable@",
      "INPUT -p tcp -j REJECT --reject-with tcp-reset",
    ],
  }),
  forBoth("log and nflog prefixes", {
    filter: [
      String.raw`INPUT -j LOG --log-prefix "in \"it's\" \\ " --log-level 7 --log-tcp-options --log-uid`,
      'INPUT -j LOG --log-prefix "-j DROP"',
      'INPUT -j LOG --log-prefix "-j"',
      "INPUT -j LOG",
      'INPUT -j NFLOG --nflog-prefix "a b" --nflog-group 3 --nflog-threshold 10',
      "INPUT -j NFLOG --nflog-prefix plain --nflog-size 100",
    ],
  }),
  forBoth("destination nat and redirect", {
    nat: [
      "PREROUTING -p tcp --dport 80 -j DNAT --to-destination @to@",
      "PREROUTING -d @net@ -j DNAT --to-destination @host@",
      "PREROUTING -p udp -j DNAT --to-destination @host@-@last@ --random --persistent",
      "PREROUTING -p tcp --dport 1:9 -j DNAT --to-destination @to@-8090",
      "PREROUTING -p tcp -j DNAT --to-destination :81",
      "PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080",
      "OUTPUT -p tcp -j REDIRECT --to-ports 8080-8090 --random",
      "OUTPUT -j REDIRECT",
    ],
  }),
  forBoth("source nat and masquerade", {
    nat: [
      "POSTROUTING -s @net@ ! -d @net@ -j MASQUERADE",
      "POSTROUTING -p tcp -j MASQUERADE --to-ports 1024-2048 --random",
      "POSTROUTING -j MASQUERADE --random-fully",
      "POSTROUTING -o eth0 -j SNAT --to-source @host@",
      "POSTROUTING -p udp -j SNAT --to-source @to@-8090 --random-fully --persistent",
      "INPUT -j SNAT --to-source @host@-@last@",
    ],
  }),
  forBoth("netmap", {
    nat: ["PREROUTING -d @net@ -j NETMAP --to @net@", "POSTROUTING -s @net@ -j NETMAP --to @net@"],
  }),
  forBoth("marks of packets", {
    mangle: [
      "PREROUTING -j MARK --set-mark 1",
      "PREROUTING -j MARK --set-mark 0x10/0xf0",
      "PREROUTING -j MARK --set-xmark 0x1/0xff",
      "PREROUTING -j MARK --or-mark 4",
      "PREROUTING -j MARK --and-mark 0xf",
      "PREROUTING -j MARK --xor-mark 0xf",
    ],
  }),
  forBoth("marks of connections", {
    mangle: [
      "PREROUTING -j CONNMARK --restore-mark",
      "PREROUTING -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xf",
      "POSTROUTING -j CONNMARK --save-mark --mask 0xff",
      "POSTROUTING -j CONNMARK --set-xmark 0x1/0x3",
    ],
  }),
  forBoth("connection tracking", {
    raw: [
      "PREROUTING -p udp --dport 53 -j CT --notrack",
      "PREROUTING -p udp --dport 5353 -j NOTRACK",
      "PREROUTING -p tcp --dport 21 -j CT --helper ftp",
      "PREROUTING -j CT --zone 3",
      "OUTPUT -j CT --ctevents new,destroy --zone-orig 1",
      "PREROUTING -p tcp -j TRACE",
    ],
  }),
  forBoth("changes of headers", {
    mangle: [
      "FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
      "FORWARD -p tcp --syn -j TCPMSS --set-mss 1360",
      "PREROUTING -j TOS --set-tos 0x10",
      "PREROUTING -j DSCP --set-dscp 0x2e",
      "PREROUTING -p tcp -j TCPOPTSTRIP --strip-options 3,8",
      "POSTROUTING -p udp --dport 68 -j CHECKSUM --checksum-fill",
      "POSTROUTING -j CLASSIFY --set-class 1:2",
    ],
  }),
  forIpv4("ttl of passing packets", { mangle: ["PREROUTING -j TTL --ttl-set 64"] }),
  forIpv6("hop limit of passing packets", { mangle: ["PREROUTING -j HL --hl-dec 1"] }),
  forBoth("queues", {
    filter: [
      "INPUT -j NFQUEUE --queue-num 3 --queue-bypass",
      "INPUT -j NFQUEUE --queue-balance 0:3 --queue-cpu-fanout",
    ],
  }),
  forBoth("proxies", {
    mangle: [
      "PREROUTING -p tcp -m socket --transparent --nowildcard -j MARK --set-mark 1",
      "PREROUTING -p tcp --dport 80 -j TPROXY --on-port 3129 --on-ip @any@ --tproxy-mark 0x1/0x1",
    ],
    filter: ["INPUT -p tcp --dport 80 -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460"],
  }),
  forBoth("audit and copies", {
    filter: ["INPUT -j AUDIT --type drop", "INPUT -j TEE --gateway @host@"],
  }),
].flat();
