import { forBoth, forIpv4, forIpv6, type RuleSet } from "./rule-set.ts";

/** One rule set for each match of iptables-extensions(8) that gateways use. */
export const MATCH_RULE_SETS: readonly RuleSet[] = [
  forBoth("policies and counters", {
    filter: [":INPUT DROP [12:340]", ":FORWARD DROP [0:0]", "[7:420] -A INPUT -i lo -j ACCEPT"],
  }),
  forBoth("addresses and prefix lengths", {
    filter: [
      "INPUT -s @host@ -j ACCEPT",
      "INPUT -d @net@ -j ACCEPT",
      "INPUT ! -s @net@ ! -d @host@ -j DROP",
      "INPUT -s @all@ -j ACCEPT",
    ],
  }),
  forIpv4("address masks with holes", {
    filter: [
      "INPUT -s 10.0.0.1/255.0.255.0 -j ACCEPT",
      "INPUT ! -d 10.0.0.0/255.255.0.0 -j DROP",
      "INPUT -s 0.0.0.1/0.0.0.255 -j DROP",
    ],
  }),
  forIpv6("address masks of IPv6", {
    filter: ["INPUT -s fe80::1/ffff:: -j ACCEPT", "INPUT ! -s ::1/::ffff -j DROP"],
  }),
  forBoth("interfaces", {
    filter: [
      "INPUT -i eth+ -j ACCEPT",
      "INPUT ! -i lo -j DROP",
      "FORWARD -i br-lan ! -o wan.7 -j ACCEPT",
      "OUTPUT -o tun+ -j ACCEPT",
      "INPUT -i + -j ACCEPT",
    ],
  }),
  forBoth("protocols by name and number", {
    filter: [
      ...[
        "tcp",
        "udp",
        "udplite",
        "sctp",
        "dccp",
        "esp",
        "ah",
        "gre",
        "@icmp@",
        "99",
        "255",
        "all",
      ],
      ...["! tcp", "! 47"],
    ].map((protocol) =>
      protocol.startsWith("!")
        ? `INPUT ! -p ${protocol.slice(2)} -j ACCEPT`
        : `INPUT -p ${protocol} -j ACCEPT`,
    ),
  }),
  forIpv4("fragments and igmp", {
    filter: ["INPUT -f -j DROP", "INPUT ! -f -j ACCEPT", "INPUT -p igmp -j ACCEPT"],
  }),
  forBoth("ports of tcp and udp", {
    filter: [
      "INPUT -p tcp --dport 22 -j ACCEPT",
      "INPUT -p tcp ! --sport 1024:65535 --dport :1023 -j DROP",
      "INPUT -p udp ! --dport 53:60 -j DROP",
      "INPUT -p udp --sport 1024: -j ACCEPT",
      "INPUT -p sctp --dport 9 -j ACCEPT",
      "INPUT -p sctp -m sctp --chunk-types any INIT,DATA -j ACCEPT",
      "INPUT -p dccp --dport 9 --dccp-types REQUEST -j ACCEPT",
    ],
  }),
  forBoth("tcp flags and options", {
    filter: [
      "INPUT -p tcp --syn -j ACCEPT",
      "INPUT -p tcp ! --syn -j DROP",
      "INPUT -p tcp --tcp-flags ALL NONE -j DROP",
      "INPUT -p tcp ! --tcp-flags SYN,RST SYN -j ACCEPT",
      "INPUT -p tcp --tcp-option 7 -j ACCEPT",
      "INPUT -p tcp ! --tcp-option 8 -j ACCEPT",
    ],
  }),
  forBoth("multiport", {
    filter: [
      "INPUT -p tcp -m multiport --dports 22,80,8000:8100 -j ACCEPT",
      "INPUT -p udp -m multiport ! --sports 53,123 -j DROP",
      "INPUT -p tcp -m multiport --ports 1,2:3 -m multiport ! --dports 4 -j ACCEPT",
      "INPUT -p udplite -m multiport --dports 5 -j ACCEPT",
    ],
  }),
  forBoth("iprange", {
    filter: [
      "INPUT -m iprange --src-range @host@-@last@ -j ACCEPT",
      "INPUT -m iprange ! --dst-range @host@-@last@ -j DROP",
      "INPUT -m iprange ! --src-range @host@-@last@ --dst-range @host@-@last@ -j DROP",
    ],
  }),
  forBoth("conntrack", {
    filter: [
      "INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "INPUT -m conntrack --ctstate INVALID,UNTRACKED -j DROP",
      "INPUT -m conntrack ! --ctstate NEW,SNAT,DNAT -j ACCEPT",
      "INPUT -m conntrack --ctproto 6 --ctorigdst @net@ --ctorigdstport 80 -j ACCEPT",
      "INPUT -m conntrack ! --ctorigsrc @host@ --ctorigdstport 80:90 --ctdir ORIGINAL -j ACCEPT",
      "INPUT -m conntrack --ctreplsrc @host@ --ctreplsrcport 8 --ctdir REPLY -j ACCEPT",
      "INPUT -m conntrack ! --ctstatus ASSURED,CONFIRMED --ctexpire 1:30 -j ACCEPT",
    ],
  }),
  forBoth("state", {
    filter: [
      "INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT",
      "INPUT -m state ! --state INVALID,NEW -j ACCEPT",
    ],
  }),
  forBoth("set", {
    filter: [
      "INPUT -m set --match-set @set@ src -j ACCEPT",
      "INPUT -m set ! --match-set @set@ dst --return-nomatch -j DROP",
      "INPUT -m set --match-set @set@ src ! --update-counters -j DROP",
      "INPUT -j SET --add-set @set@ src --exist --timeout 60",
    ],
  }),
  forBoth("comments with quotes and escapes", {
    filter: [
      "INPUT -m comment --comment plain -j ACCEPT",
      'INPUT -m comment --comment "two words" -j ACCEPT',
      String.raw`INPUT -m comment --comment "it's \"quoted\" \\ and 'single'" -j ACCEPT`,
      'INPUT -m comment --comment "-j DROP" -j ACCEPT',
      'INPUT -m comment --comment "-j" -j ACCEPT',
      'INPUT -m comment --comment "!" -j ACCEPT',
      'INPUT -m comment --comment "" -j ACCEPT',
      'INPUT -m comment --comment "grün → 語 $(x) `y` #*:[1:2]" -j ACCEPT',
      'INPUT -m comment --comment "  blanks  " -m comment --comment twice -j ACCEPT',
      `INPUT -m comment --comment "${"long ".repeat(50)}" -j ACCEPT`,
    ],
  }),
  forBoth("mark and connmark", {
    mangle: [
      "PREROUTING -m mark --mark 0x1/0xff -j ACCEPT",
      "PREROUTING -m mark ! --mark 0x1 -j ACCEPT",
      "PREROUTING -m mark --mark 0xffffffff -j ACCEPT",
      "PREROUTING -m connmark ! --mark 0x4/0x4 -j ACCEPT",
    ],
  }),
  forBoth("limit", {
    filter: [
      "INPUT -m limit --limit 3/min --limit-burst 10 -j ACCEPT",
      "INPUT -m limit --limit 100/sec -j ACCEPT",
      "INPUT -m limit --limit 2/hour --limit-burst 1 -j ACCEPT",
    ],
  }),
  forBoth("recent", {
    filter: [
      "INPUT -m recent --set --name SSH --rsource",
      "INPUT -m recent --update --seconds 60 --hitcount 4 --rttl --name SSH --rdest -j DROP",
      "INPUT -m recent ! --rcheck --name OTHER -j DROP",
      "INPUT -m recent --remove --name SSH",
    ],
  }),
  forBoth("owner", {
    filter: [
      "OUTPUT -m owner --uid-owner 0 -j ACCEPT",
      "OUTPUT -m owner ! --uid-owner 1000-2000 --gid-owner 7 -j DROP",
      "OUTPUT -m owner ! --socket-exists -j DROP",
    ],
  }),
  forBoth("hashlimit", {
    filter: [
      "INPUT -m hashlimit --hashlimit-upto 5/min --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name a -j ACCEPT",
      "INPUT -m hashlimit --hashlimit-above 10/sec --hashlimit-mode srcip,dstport --hashlimit-name b --hashlimit-srcmask 24 --hashlimit-htable-expire 30000 -j DROP",
      "INPUT -m hashlimit --hashlimit-above 512kb/s --hashlimit-mode dstip --hashlimit-name c -j DROP",
    ],
  }),
  forBoth("time", {
    filter: [
      "INPUT -m time --timestart 10:00 --timestop 12:30:15 --weekdays Mon,Tue,Fri -j ACCEPT",
      "INPUT -m time ! --monthdays 1,15,31 --kerneltz -j ACCEPT",
      "INPUT -m time --datestart 2026-01-01 --datestop 2026-12-31T23:59:59 -j ACCEPT",
      "INPUT -m time --timestart 22:00 --timestop 06:00 --contiguous -j DROP",
    ],
  }),
  forBoth("string", {
    filter: [
      String.raw`INPUT -m string --algo bm --string "GET \"/a b\" it's \\" --to 100 -j DROP`,
      "INPUT -m string --algo kmp --from 20 ! --string plain -j DROP",
      'INPUT -m string --algo bm --string "-j" --icase -j DROP',
      'INPUT -m string --algo kmp --hex-string "|00 ff|abc" -j DROP',
    ],
  }),
  forBoth("mac", {
    filter: [
      "INPUT -m mac --mac-source 00:11:22:AA:BB:CC -j ACCEPT",
      "INPUT -m mac ! --mac-source 00:11:22:aa:bb:cc -j DROP",
    ],
  }),
  forBoth("addrtype", {
    filter: [
      "INPUT -m addrtype --dst-type LOCAL -j ACCEPT",
      "INPUT -m addrtype ! --src-type UNICAST --dst-type LOCAL,MULTICAST -j DROP",
      "INPUT -m addrtype --dst-type LOCAL --limit-iface-in -j ACCEPT",
    ],
  }),
  forBoth("length", {
    filter: ["INPUT -m length --length 10:20 -j ACCEPT", "INPUT -m length ! --length 100 -j DROP"],
  }),
  forBoth("tos and dscp", {
    filter: [
      "INPUT -m tos --tos 0x10 -j ACCEPT",
      "INPUT -m tos ! --tos 0x4/0xfc -j ACCEPT",
      "INPUT -m dscp --dscp 0x2e -j ACCEPT",
      "INPUT -m dscp ! --dscp-class AF11 -j ACCEPT",
    ],
  }),
  forIpv4("ttl", {
    filter: ["INPUT -m ttl --ttl-lt 5 -j DROP", "INPUT -m ttl ! --ttl-eq 64 -j DROP"],
  }),
  forIpv6("hop limit and headers", {
    filter: [
      "INPUT -m hl --hl-lt 5 -j DROP",
      "INPUT -m hl ! --hl-eq 255 -j DROP",
      "INPUT -m rt --rt-type 0 -j DROP",
      "INPUT -m frag --fragid 1:2 --fragfirst -j DROP",
      "INPUT -m ipv6header --header frag --soft -j DROP",
      "INPUT -m eui64 -j DROP",
    ],
  }),
  forIpv4("icmp types", {
    filter: [
      "INPUT -p icmp --icmp-type 8 -j ACCEPT",
      "INPUT -p icmp --icmp-type any -j ACCEPT",
      "INPUT -p icmp ! --icmp-type 3/4 -j DROP",
      "INPUT -p icmp --icmp-type time-exceeded -j ACCEPT",
    ],
  }),
  forIpv6("icmpv6 types", {
    filter: [
      "INPUT -p ipv6-icmp --icmpv6-type 128 -j ACCEPT",
      "INPUT -p icmpv6 --icmpv6-type router-advertisement -m hl --hl-eq 255 -j ACCEPT",
      "INPUT -p ipv6-icmp ! --icmpv6-type 1/3 -j DROP",
    ],
  }),
  forBoth("statistic", {
    nat: [
      "OUTPUT -m statistic --mode random --probability 0.33333333349 -j ACCEPT",
      "OUTPUT -m statistic --mode random ! --probability 0.5 -j ACCEPT",
      "OUTPUT -m statistic --mode nth --every 3 --packet 1 -j ACCEPT",
    ],
  }),
  forBoth("connlimit and connbytes", {
    filter: [
      "INPUT -p tcp -m connlimit --connlimit-above 10 --connlimit-mask 24 -j REJECT",
      "INPUT -p tcp -m connlimit --connlimit-upto 4 --connlimit-daddr -j ACCEPT",
      "INPUT -m connbytes --connbytes 1000:2000 --connbytes-mode bytes --connbytes-dir both -j ACCEPT",
      "INPUT -m connbytes ! --connbytes 10 --connbytes-mode packets --connbytes-dir reply -j ACCEPT",
    ],
  }),
  forBoth("physdev", {
    filter: [
      "FORWARD -m physdev --physdev-in eth0 --physdev-out eth+ -j ACCEPT",
      "FORWARD -m physdev ! --physdev-is-bridged -j DROP",
      "FORWARD -m physdev --physdev-is-in ! --physdev-in veth1 -j DROP",
    ],
  }),
  forBoth("packet types, helpers and policies", {
    filter: [
      "INPUT -m pkttype --pkt-type broadcast -j DROP",
      "INPUT -m pkttype ! --pkt-type unicast -j DROP",
      "INPUT -m helper --helper ftp -j ACCEPT",
      'INPUT -m helper --helper "ftp-2121" -j ACCEPT',
      "INPUT -m policy --dir in --pol ipsec --proto esp -j ACCEPT",
      "INPUT -m policy --dir in --pol none -j DROP",
      "INPUT -m cpu ! --cpu 1 -j ACCEPT",
      "INPUT -m devgroup --src-group 0x1 -j ACCEPT",
    ],
  }),
  forBoth("programs in matches", {
    filter: [
      'INPUT -m u32 --u32 "0x0>>0x16&0x3c@0x0=0x1:0x2,0x5" -j DROP',
      'INPUT -m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0" -j DROP',
      "OUTPUT -m cgroup ! --cgroup 7 -j ACCEPT",
    ],
  }),
  forBoth("esp and ah", {
    filter: ["INPUT -p esp -m esp --espspi 1:2 -j ACCEPT", "INPUT -p ah -m ah ! --ahspi 5 -j DROP"],
  }),
].flat();
