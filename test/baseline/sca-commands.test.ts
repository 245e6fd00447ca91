import assert from "node:assert/strict";
import { test } from "node:test";
import type { RootFiles } from "./memory-root.ts";
import { device, FIREWALL, output } from "./sca-device.ts";

const STATUS = `Package: sudo
Status: install ok installed
Architecture: amd64
Version: 1.9
Suggests: ufw, other (>= 1)

Package: gone
Status: deinstall ok not-installed
`;

test("dpkg tells of installed packages, of others by an error", () => {
  const on = device("dpkg dpkg-query", { "/var/lib/dpkg/status": STATUS });
  assert.match(output("dpkg -s sudo", on), /^Package: sudo\nStatus: install ok installed\n/);
  for (const name of ["gone", "nothing"]) {
    assert.match(
      output(`dpkg-query -s ${name}`, on),
      new RegExp(`^dpkg-query: package '${name}' is not installed and no`),
    );
  }
  const format = ["-f=", "{db:Status-Status} ", "{Package};"].join("$");
  assert.equal(
    output(`dpkg-query -W "${format}" sudo ufw nothing`, on),
    "dpkg-query: no packages found matching nothing\ninstalled sudo;not-installed ufw;",
  );
  assert.equal(output("dpkg -l", on), "not-known");
});

test("stat shows owners and modes, and what is not there", () => {
  const on = device("stat", {
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\nweb:x:7:8::/:/bin/sh\n",
    "/etc/group": "root:x:0:\nwww:x:8:\n",
    "/a": { text: "x", mode: 0o4755, userId: 7, groupId: 8 },
    "/tmp": { kind: "folder", mode: 0o1777 },
    "/l": { link: "/a" },
  });
  assert.equal(
    output('stat -Lc "%n %a %A %u %U %g %G" /a /b', on),
    "stat: cannot statx '/b': No such file or directory\n/a 4755 -rwsr-xr-x 7 web 8 www\n",
  );
  assert.equal(output("stat -c %A /tmp /l", on), "drwxrwxrwt\nlrw-r--r--\n");
  assert.match(
    output("stat -L /a", on),
    /^Access: \(4755\/-rwsr-xr-x\) {2}Uid: \( {4}7\/ {5}web\) {3}Gid: \( {4}8\/ {5}www\)$/m,
  );
  assert.equal(output("stat -c %y /a", on), "not-known");
});

const UNITS = {
  "/usr/lib/systemd/system/cron.service": "[Install]\nWantedBy=multi-user.target\n",
  "/etc/systemd/system/multi-user.target.wants/cron.service": {
    link: "/usr/lib/systemd/system/cron.service",
  },
  "/usr/lib/systemd/system/off.service": "[Install]\nWantedBy=multi-user.target\n",
  "/usr/lib/systemd/system/plain.service": "[Service]\nExecStart=/x\n",
  "/usr/lib/systemd/system/also.service": "[Install]\nAlso=x.socket\n",
  "/etc/systemd/system/dead.service": { link: "/dev/null" },
  "/etc/systemd/system/clock.service": { link: "/usr/lib/systemd/system/cron.service" },
  "/usr/lib/systemd/system/getty@.service": "[Install]\nDefaultInstance=tty1\n",
  "/etc/systemd/system/getty.target.wants/getty@tty1.service": {
    link: "/usr/lib/systemd/system/getty@.service",
  },
  "/usr/lib/systemd/system/job.timer": "[Install]\nWantedBy=timers.target\n",
  "/run/systemd/system/x": "",
  "/run/systemd/units/invocation:cron.service": { link: "abc" },
} as const;

test("systemctl is-enabled has a word for each state of a unit file", () => {
  const on = device("systemctl", UNITS);
  const units = "cron off plain.service also dead clock getty@.service getty@tty1.service";
  assert.equal(
    output(`systemctl is-enabled ${units}`, on),
    "enabled\ndisabled\nstatic\nindirect\nmasked\nalias\nenabled\nenabled\n",
  );
});

test("a unit that is not there is an error before systemd 254 and a word since", () => {
  const version = (text: string): RootFiles => ({
    ...UNITS,
    "/var/lib/dpkg/status": `Package: systemd\nStatus: install ok installed\nVersion: ${text}\n`,
  });
  assert.equal(
    output("systemctl is-enabled cron x off", device("systemctl", version("252.39-1"))),
    "Failed to get unit file state for x.service: No such file or directory\nenabled\n",
  );
  assert.equal(
    output("systemctl is-enabled cron x off", device("systemctl", version("257.8"))),
    "enabled\nnot-found\ndisabled\n",
  );
});

test("a service is active while it has an invocation, and a timer is not guessed", () => {
  const on = device("systemctl", UNITS);
  assert.equal(
    output("systemctl is-active cron off nothing.timer", on),
    "active\ninactive\ninactive\n",
  );
  assert.equal(output("systemctl is-active job.timer", on), "not-known");
  assert.match(
    output("systemctl show cron dead", on),
    /LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\nId=dead.service\nLoadState=masked\n/,
  );
  assert.equal(
    output("systemctl is-active cron", device("systemctl", UNITS, { isLive: false })),
    "not-known",
  );
  assert.match(
    output("systemctl is-active cron", device("systemctl")),
    /^System has not been booted/,
  );
});

test("kernel parameters and modules are those that run", () => {
  const on = device("sysctl lsmod modprobe", {
    "/proc/sys/net/ipv4/ip_forward": "1\n",
    "/proc/sys/kernel/osrelease": "6.1\n",
    "/proc/modules": "nf_nat 65536 2 a,b, Live 0x0\n",
    "/etc/modprobe.d/x.conf": "install cramfs /bin/false\n",
    "/lib/modules/6.1/modules.dep": "kernel/fs/udf/udf.ko: kernel/lib/crc.ko\n",
    "/lib/modules/6.1/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
  });
  assert.equal(
    output("sysctl net.ipv4.ip_forward net.x", on),
    "sysctl: cannot stat /proc/sys/net/x: No such file or directory\nnet.ipv4.ip_forward = 1\n",
  );
  assert.match(output("lsmod", on), /^nf_nat +65536 {2}2 a,b$/m);
  assert.equal(output("modprobe -n -v cramfs", on), "install /bin/false \n");
  assert.equal(
    output("modprobe -n -v udf", on),
    "insmod /lib/modules/6.1/kernel/lib/crc.ko \ninsmod /lib/modules/6.1/kernel/fs/udf/udf.ko \n",
  );
  assert.match(
    output("modprobe -n -v nosuch", on),
    /^modprobe: FATAL: Module nosuch not found in directory/,
  );
  assert.equal(output("modprobe udf", on), "not-known");
});

test("findmnt knows the mounts in force", () => {
  const on = device("findmnt", { "/proc/self/mounts": "tmpfs /tmp tmpfs rw,nosuid 0 0\n" });
  assert.equal(output("findmnt -kn /tmp", on), "/tmp tmpfs tmpfs rw,nosuid\n");
  assert.equal(output("findmnt -kn /home", on), "");
});

test("sshd -T joins what is set with what is built in", () => {
  const on = device("sshd", {
    "/etc/ssh/sshd_config":
      "Include /etc/ssh/sshd_config.d/*.conf\nMaxAuthTries 9\nPort 22\nPort 2222\n",
    "/etc/ssh/sshd_config.d/a.conf":
      "MaxAuthTries 4\nLoginGraceTime 1m\nCiphers -aes*-gcm*\nPermitRootLogin prohibit-password\nAllowUsers a b\n",
    "/etc/ssh/ssh_host_rsa_key": "",
    "/var/lib/dpkg/status":
      "Package: openssh-server\nStatus: install ok installed\nVersion: 1:9.2p1-2\n",
  });
  const lines = output("sshd -T", on).split("\n");
  for (const line of [
    "maxauthtries 4",
    "logingracetime 60",
    "ciphers chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr",
    "permitrootlogin without-password",
    "port 22",
    "port 2222",
    "allowusers a",
    "allowusers b",
    "x11forwarding no",
    "hostkey /etc/ssh/ssh_host_rsa_key",
  ])
    assert.ok(lines.includes(line), line);
  assert.match(
    output("sshd -T", device("sshd", { "/etc/ssh/sshd_config": "" })),
    /no hostkeys available/,
  );
});

test("text tools read files and pipes", () => {
  const on = device("sh cut sort uniq wc grep cat awk find stat", {
    "/etc/group": "a:x:1:\nb:x:1:\nc:x:2:\n",
    "/etc/x.d/1.conf": "# hard core 0\n* hard  core 0\n",
    "/etc/x.d/2.txt": "hard core 0\n",
  });
  assert.equal(output('sh -c "cut -f3 -d\\":\\" /etc/group | sort | uniq -dc | wc -l"', on), "1\n");
  assert.equal(
    output('grep -RhE "hard\\\\s+core" /etc/x.d/ /nosuch', on),
    "grep: /nosuch: No such file or directory\n# hard core 0\n* hard  core 0\nhard core 0\n",
  );
  assert.equal(output('sh -c "cat /etc/x.d/*.conf | grep -c hard"', on), "2\n");
  assert.equal(
    output("cat /etc/x.d/*.conf", on),
    "cat: '/etc/x.d/*.conf': No such file or directory\n",
  );
  assert.equal(output("sh -c \"cat /etc/group | awk '/b:/,/c:/'\"", on), "b:x:1:\nc:x:2:\n");
  assert.equal(output("find /etc/x.d -type f -name *.conf", on), "/etc/x.d/1.conf\n");
  assert.equal(
    output(
      "sh -c \"find /etc/x.d \\\\( -name '*.conf' -o -name '*.txt' \\\\) -exec stat -Lc '%a' {} + | grep -cvE '^6'\"",
      on,
    ),
    "0\n",
  );
  assert.equal(output("find /etc -delete", on), "not-known");
});

test("accounts: the state of a password, the defaults of new ones, the timeout of sudo", () => {
  const on = device("passwd useradd sudo crontab", {
    "/etc/shadow": "root:$y$x:20000:0:99999:7:::\nman:*:1::::::\n",
    "/etc/default/useradd": "SHELL=/bin/bash\nINACTIVE=30\n",
    "/etc/sudoers": "Defaults env_reset\n@includedir /etc/sudoers.d\n",
    "/etc/sudoers.d/x": "Defaults use_pty, timestamp_timeout=5\n",
    "/etc/sudoers.d/x.bak": "Defaults timestamp_timeout=99\n",
  });
  assert.equal(output("passwd -S root", on), "root P 2024-10-04 0 99999 7 -1\n");
  assert.match(output("passwd -S man", on), /^man L 1970-01-02/);
  assert.match(output("useradd -D", on), /^INACTIVE=30$/m);
  assert.equal(output("sudo -V", on), "Authentication timestamp timeout: 5.0 minutes\n");
  assert.equal(output("crontab -l", on), "no crontab for root\n");
});

test("audit rules: nothing loaded, a change that waits", () => {
  const on = device("auditctl augenrules", {
    "/etc/audit/audit.rules": "## made\n-D\n-b 8192\n",
    "/etc/audit/rules.d/a.rules": "-D\n-b 8192\n",
  });
  assert.equal(output("auditctl -l", on), "No rules\n");
  assert.match(output("augenrules --check", on), /No change/);
  const rules = {
    "/etc/audit/audit.rules": "-D\n",
    "/etc/audit/rules.d/a.rules": "-w /etc/x -p wa -k y\n",
  };
  assert.match(output("augenrules --check", device("augenrules", rules)), /Rules have changed/);
  const loaded = device("auditctl", {
    "/etc/audit/audit.rules":
      "-w /etc/x -p wa -k y\n-a always,exit -F arch=b64 -S chmod -S fchmod -F auid>=1000 -F auid!=unset -k z\n",
    "/run/systemd/units/invocation:auditd.service": { link: "a" },
  });
  assert.equal(
    output("auditctl -l", loaded),
    "-w /etc/x -p wa -k y\n-a always,exit -F arch=b64 -S chmod,fchmod -F auid>=1000 -F auid!=-1 -F key=z\n",
  );
});

test("firewalls: what nft, iptables and ufw would list", () => {
  const on = device("nft iptables ufw sh awk", {}, { firewall: FIREWALL });
  assert.equal(output("nft list tables", on), "table inet t\n");
  assert.equal(
    output("nft list ruleset", on),
    'table inet t {\n\tchain in {\n\t\ttype filter hook input priority filter; policy drop;\n\t\tiif "lo" accept\n\t}\n}\n',
  );
  assert.match(output("iptables -L", on), /^Chain INPUT \(policy ACCEPT\)$/m);
  assert.equal(output("ufw status", on), "Status: inactive\n");
  assert.equal(output("nft list ruleset", device("nft")), "unreadable");
  assert.equal(
    output("nft list ruleset", device("nft", {}, { firewall: { ...FIREWALL, isComplete: false } })),
    "unreadable",
  );
});
