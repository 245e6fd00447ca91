/** Rule sets of native nftables, as people write them: what a kernel lists must come back the same. */
export const NFT_CORPUS: Readonly<Record<string, string>> = {
  "an empty table": "table inet t { }",
  "policies and priorities": `table inet t {
    chain a { type filter hook input priority filter; policy drop; }
    chain b { type filter hook output priority -10; policy accept; }
    chain c { type route hook output priority mangle; }
    chain d { type filter hook forward priority 300; policy drop; } }`,
  "addresses, masks and ranges": `table ip t { chain c { type filter hook input priority 0;
    ip saddr 10.0.0.1 accept
    ip saddr 10.0.0.0/8 drop
    ip saddr 10.0.0.1-10.0.0.9 ip daddr != 192.0.2.0/24 accept
    ip saddr & 255.0.255.0 == 10.0.1.0 drop } }`,
  "addresses of IPv6": `table ip6 t { chain c { type filter hook input priority 0;
    ip6 saddr 2001:db8::1 accept
    ip6 saddr fe80::/10 drop
    ip6 daddr != 2001:db8::1-2001:db8::ff accept } }`,
  "ports and ranges": `table inet t { chain c { type filter hook input priority 0;
    tcp dport 22 accept
    tcp dport != 1-1023 drop
    udp sport 53 udp dport 1024-65535 accept
    tcp dport > 1000 drop
    tcp sport <= 1023 drop
    sctp dport 5060 accept
    udplite dport 99 drop
    dccp sport 7 accept
    th dport 443 accept } }`,
  "anonymous sets and intervals": `table inet t { chain c { type filter hook input priority 0;
    tcp dport { 22, 80, 443 } accept
    tcp dport != { 1-1023, 8080 } drop
    ip saddr { 10.0.0.0/8, 192.0.2.1, 198.51.100.1-198.51.100.9 } accept
    ip6 saddr { 2001:db8::/32, ::1 } accept } }`,
  "named sets": `table inet t {
    set ports { type inet_service; flags interval; elements = { 22, 8000-8010 } }
    set hosts { type ipv4_addr; comment "ours"; elements = { 10.0.0.1, 10.0.0.2 } }
    set six { type ipv6_addr; flags interval; auto-merge; elements = { 2001:db8::/32 } }
    set names { type ifname; elements = { "eth0", "wlan0" } }
    set empty { type ipv4_addr; size 100; policy memory; }
    chain c { type filter hook input priority 0;
      tcp dport @ports ip saddr @hosts accept
      ip6 saddr @six drop
      iifname @names accept
      ip saddr != @empty drop } }`,
  "sets that change": `table inet t {
    set seen { type ipv4_addr; flags dynamic,timeout; timeout 1h; size 1000; }
    set slow { type ipv4_addr . inet_service; flags dynamic; size 500; }
    chain c { type filter hook input priority 0;
      add @seen { ip saddr } accept
      update @seen { ip saddr timeout 10m } accept
      tcp dport 22 add @slow { ip saddr . tcp dport limit rate over 10/minute } drop } }`,
  "element comments": `table ip t {
    set s { type ipv4_addr; elements = { 10.0.0.1 comment "printer", 10.0.0.2 } } }`,
  concatenations: `table inet t {
    set pairs { type ipv4_addr . inet_service; elements = { 10.0.0.1 . 22, 10.0.0.2 . 80 } }
    set wide { type ipv4_addr . inet_proto . inet_service; flags interval;
      elements = { 10.0.0.0/8 . tcp . 1-1023 } }
    chain c { type filter hook input priority 0;
      ip saddr . tcp dport @pairs accept
      ip saddr . meta l4proto . th dport @wide drop
      ip saddr . tcp dport { 192.0.2.1 . 443, 192.0.2.2 . 80 } accept
      iifname . ip saddr { "eth0" . 10.0.0.1 } accept } }`,
  "verdict maps": `table inet t {
    map v { type inet_service : verdict; elements = { 22 : accept, 23 : drop, 80 : jump web } }
    chain web { accept }
    chain c { type filter hook input priority 0;
      tcp dport vmap @v
      ct state vmap { established : accept, related : accept, invalid : drop }
      iifname vmap { "lo" : accept, "eth0" : goto web }
      ip saddr . tcp dport vmap { 10.0.0.1 . 22 : accept }
      ip saddr vmap { 10.0.0.0/8 : jump web, 192.0.2.1-192.0.2.9 : drop } } }`,
  "data maps": `table ip t {
    map targets { type inet_service : ipv4_addr; elements = { 80 : 10.0.0.1, 443 : 10.0.0.2 } }
    map marks { type ipv4_addr : mark; elements = { 10.0.0.1 : 0x00000001 } }
    chain p { type nat hook prerouting priority dstnat;
      dnat to tcp dport map @targets
      dnat to tcp dport map { 8080 : 10.0.0.3, 8081 : 10.0.0.4 } }
    chain m { type filter hook prerouting priority mangle;
      meta mark set ip saddr map @marks } }`,
  "connection tracking": `table inet t { chain c { type filter hook input priority 0;
    ct state established,related accept
    ct state invalid drop
    ct state != new drop
    ct state new,untracked accept
    ct status dnat accept
    ct direction original accept
    ct mark 0x1 accept
    ct mark set 0x5
    ct original ip daddr 10.0.0.1 accept
    meta l4proto tcp ct original proto-dst 80 accept
    ct helper "ftp" accept } }`,
  interfaces: `table inet t { chain c { type filter hook forward priority 0;
    iifname "eth0" oifname "wlan0" accept
    iifname != "lo" drop
    iifname "veth*" accept
    iif "lo" accept
    oifname { "a", "b" } drop
    meta iiftype ether accept } }`,
  meta: `table inet t { chain c { type filter hook input priority 0;
    meta l4proto tcp accept
    meta l4proto { tcp, udp, 47 } accept
    meta nfproto ipv6 drop
    meta pkttype broadcast drop
    meta length 100-200 accept
    meta mark 0x1 accept
    meta mark & 0x3 == 0x1 accept
    meta skuid 0 accept
    meta protocol ip accept
    meta cpu 0 accept } }`,
  marks: `table inet t { chain c { type filter hook prerouting priority mangle;
    meta mark set 0x1
    meta mark set meta mark | 0x2
    meta mark set meta mark & 0xff
    meta mark set ct mark
    ct mark set meta mark
    meta priority set 1:2 } }`,
  "protocols by name and number": `table ip t { chain c { type filter hook input priority 0;
    ip protocol icmp accept
    ip protocol 89 accept
    ip protocol != { tcp, udp } drop
    meta l4proto esp accept } }`,
  headers: `table inet t { chain c { type filter hook input priority 0;
    ip ttl 64 accept
    ip dscp cs1 accept
    ip length > 1000 drop
    ip6 hoplimit 1 drop
    ip6 flowlabel 5 drop
    tcp flags syn accept
    tcp flags & (fin | syn | rst | ack) == syn accept
    tcp flags == 0x0 drop
    tcp flags != syn drop
    tcp window 0 drop
    udp length 100 drop
    icmp type echo-request accept
    icmp type { echo-request, destination-unreachable } accept
    icmpv6 type { nd-neighbor-solicit, nd-router-advert, 136 } accept
    icmp code 1 drop
    ah spi 5 accept
    esp spi 100 accept } }`,
  "ethernet and arp": `table arp t { chain c { type filter hook input priority 0; policy accept;
      arp operation request accept
      arp saddr ip 10.0.0.1 drop } }
    table bridge t { chain c { type filter hook forward priority 0; policy accept;
      ether saddr 00:11:22:33:44:55 drop
      ether type arp accept
      vlan id 5 drop
      ip saddr 10.0.0.1 drop } }`,
  ingress: `table netdev t { chain c { type filter hook ingress device "lo" priority 0; policy accept;
      ip saddr 10.0.0.1 drop
      ether type ip6 accept } }
    table inet i { chain c { type filter hook ingress device "lo" priority 0; policy accept; tcp dport 23 drop } }`,
  "extension headers and options": `table inet t { chain c { type filter hook input priority 0;
    exthdr frag exists drop
    frag more-fragments 1 drop
    tcp option maxseg size 1460 accept
    tcp option sack-perm exists accept
    tcp option maxseg size 1-500 drop }
    chain f { type filter hook forward priority 0;
    tcp flags syn tcp option maxseg size set 1200 } }`,
  "raw looks": `table inet t { chain c { type filter hook input priority 0;
    @th,16,16 22 accept
    @nh,96,32 0x0a000001 drop } }`,
  routes: `table inet t { chain c { type filter hook prerouting priority raw;
    fib daddr type local accept
    fib saddr type != unicast drop
    fib saddr . iif oif missing drop
    fib saddr oif "lo" accept
    fib daddr . iif type { local, broadcast } accept }
    chain o { type filter hook output priority 0;
    rt classid 1 accept
    rt ip nexthop 10.0.0.1 accept } }`,
  sockets: `table inet t { chain c { type filter hook prerouting priority mangle;
    socket transparent 1 accept
    socket wildcard 0 accept
    socket mark 0x1 accept
    osf name "Linux" accept } }`,
  "hashes and numbers": `table ip t { chain c { type filter hook prerouting priority mangle;
    meta mark set numgen inc mod 2
    meta mark set numgen random mod 5 offset 3
    meta mark set jhash ip saddr . ip daddr mod 2 seed 0xa offset 1
    meta mark set symhash mod 4 } }`,
  "limits and quotas": `table inet t {
    limit slow { rate 10/second burst 5 packets }
    quota much { over 100 mbytes }
    chain c { type filter hook input priority 0;
      limit rate 10/second accept
      limit rate over 400/minute burst 20 packets drop
      limit rate 10 mbytes/second accept
      limit rate over 1 kbytes/hour burst 2 kbytes drop
      limit name "slow" accept
      quota 25 mbytes accept
      quota over 1000 mbytes drop
      quota name "much" drop
      ct count over 10 drop
      ct count 5 accept } }`,
  counters: `table inet t {
    counter every { packets 0 bytes 0 }
    chain c { type filter hook input priority 0;
      counter
      tcp dport 22 counter accept
      counter name "every"
      counter name tcp dport map { 22 : "every" } } }`,
  logs: `table inet t { chain c { type filter hook input priority 0;
    log
    log prefix "in: " level warn
    log prefix "a b c" group 5 snaplen 100 queue-threshold 10
    log flags all
    log level audit } }`,
  rejects: `table inet t { chain c { type filter hook input priority 0;
      reject
      tcp dport 1 reject with tcp reset
      ip saddr 10.0.0.1 reject with icmp type host-unreachable
      ip6 saddr ::1 reject with icmpv6 type no-route
      reject with icmpx type admin-prohibited } }
    table ip u { chain c { type filter hook input priority 0; reject with icmp type net-unreachable } }
    table ip6 u { chain c { type filter hook input priority 0; reject } }`,
  translation: `table ip t {
    chain p { type nat hook prerouting priority dstnat; policy accept;
      tcp dport 80 dnat to 10.0.0.5:8080
      tcp dport 81 dnat to 10.0.0.5-10.0.0.9
      tcp dport 82 redirect to :3128
      tcp dport 83 redirect
      tcp dport 84 dnat to :99
      tcp dport 85 dnat to 10.0.0.1:1000-2000 random }
    chain s { type nat hook postrouting priority srcnat; policy accept;
      ip saddr 10.0.0.0/8 masquerade
      oifname "eth0" masquerade random,persistent
      meta l4proto tcp masquerade to :1024-65535
      snat to 192.0.2.1
      ip protocol udp snat to 192.0.2.1-192.0.2.9:1-1000 } }`,
  "translation in IPv6 and inet": `table ip6 t {
    chain p { type nat hook prerouting priority dstnat;
      tcp dport 80 dnat to [2001:db8::5]:8080
      tcp dport 81 dnat to 2001:db8::5
      tcp dport 82 redirect to :3128 } }
    table inet u {
    chain p { type nat hook prerouting priority dstnat;
      tcp dport 80 dnat ip to 10.0.0.5:8080
      tcp dport 81 dnat ip6 to [2001:db8::5]:81
      tcp dport 82 redirect to :3128 }
    chain s { type nat hook postrouting priority srcnat;
      ip saddr 10.0.0.0/8 snat ip to 192.0.2.1
      masquerade } }`,
  "tracking off": `table inet t { chain c { type filter hook prerouting priority raw;
    udp dport 53 notrack
    tcp dport 22 notrack accept } }`,
  queues: `table inet t { chain c { type filter hook input priority 0;
    tcp dport 80 counter queue
    tcp dport 81 queue to 3
    tcp dport 82 queue flags bypass to 1-3
    tcp dport 83 queue flags bypass,fanout to 4-7 } }`,
  copies: `table ip t { chain c { type filter hook prerouting priority mangle;
      dup to 10.0.0.1
      dup to 10.0.0.1 device "lo" } }
    table netdev n { chain c { type filter hook ingress device "lo" priority 0;
      dup to "lo"
      tcp dport 22 fwd to "lo" } }`,
  proxies: `table inet t { chain c { type filter hook prerouting priority mangle;
      meta l4proto tcp tproxy to :5000
      tcp dport 80 tproxy ip to 127.0.0.1:5000 accept }
    chain f { type filter hook input priority 0;
      tcp dport 443 synproxy mss 1460 wscale 7 timestamp sack-perm } }`,
  helpers: `table ip t {
    ct helper ftp { type "ftp" protocol tcp; }
    ct timeout slow { protocol tcp; l3proto ip; policy = { established : 100, close : 4 } }
    chain c { type filter hook prerouting priority -150;
      tcp dport 21 ct helper set "ftp"
      tcp dport 22 ct timeout set "slow" } }`,
  comments: `table inet t { chain c { type filter hook input priority 0;
    tcp dport 22 accept comment "ssh: for ops only"
    drop comment "DROP everything below" } }`,
  "jumps, gotos and returns": `table inet t {
    chain third { return }
    chain second { jump third; tcp dport 22 accept; continue }
    chain first { goto second }
    chain c { type filter hook input priority 0; jump first; jump second; drop } }`,
  "a dormant table": `table inet t { flags dormant; chain c { type filter hook input priority 0; policy drop; } }`,
  "several chains at one hook": `table inet a { chain c { type filter hook input priority -5; accept } }
    table inet b { chain c { type filter hook input priority 5; policy drop; tcp dport 22 accept } }
    table ip c { chain c { type filter hook input priority 0; drop } }`,
  "as a distribution ships it": `table inet filter {
    chain input { type filter hook input priority filter; policy drop;
      ct state established,related accept
      ct state invalid drop
      iif "lo" accept
      ip protocol icmp icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
      icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
      tcp dport { 22, 80, 443 } ct state new accept
      limit rate 5/minute log prefix "dropped: "
      counter drop }
    chain forward { type filter hook forward priority filter; policy drop; }
    chain output { type filter hook output priority filter; policy accept; } }`,
  "as firewalld writes it": `table inet firewalld {
    chain filter_PREROUTING { type filter hook prerouting priority filter + 10;
      icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept
      meta nfproto ipv6 fib saddr . mark . iif oif missing drop }
    chain filter_INPUT { type filter hook input priority filter + 10; policy accept;
      ct state { established, related } accept
      ct status dnat accept
      iifname "lo" accept
      ct state invalid drop
      jump filter_INPUT_ZONES
      reject with icmpx type admin-prohibited }
    chain filter_INPUT_ZONES { iifname "eth0" goto filter_IN_public; goto filter_IN_public }
    chain filter_IN_public { jump filter_IN_public_allow; meta l4proto { icmp, ipv6-icmp } accept }
    chain filter_IN_public_allow { tcp dport 22 accept; ip6 daddr fe80::/64 udp dport 546 accept } }`,
  "as fail2ban writes it": `table inet f2b-table {
    set addr-set-sshd { type ipv4_addr; elements = { 192.0.2.7, 192.0.2.9 } }
    chain f2b-chain { type filter hook input priority filter - 1; policy accept;
      tcp dport 22 ip saddr @addr-set-sshd reject } }`,
  "flow tables": `table inet t {
    flowtable f { hook ingress priority 0; devices = { "lo" }; }
    chain c { type filter hook forward priority 0; ip protocol tcp flow add @f } }`,
};

const BLOCK =
  /(?:table \w+ [\w-]+|chain [\w-]+|(?:^|[\s;{}])(?:set|map|limit|quota|counter|flowtable|ct helper|ct timeout) [\w-]+) $/;

/** The text with a line break around the bracket that ends a block, as nft 1.0.6 demands. */
export function loadable(text: string): string {
  const isBlock: boolean[] = [];
  let written = "";
  for (const character of text) {
    if (character === "{") isBlock.push(BLOCK.test(written));
    const endsBlock = character === "}" && isBlock.pop() === true;
    written += endsBlock ? "\n}\n" : character;
  }
  return written;
}
