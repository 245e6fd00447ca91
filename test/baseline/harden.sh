#!/bin/bash
# harden.sh ROOT: brings a Debian root file system to what the baseline asks for, by the remediations of the
# rules: files, modes and links, no program of the root is run. Made for tests; a gateway needs thought first.
set -euo pipefail
root=${1:?the folder of a root file system}
etc=$root/etc

# Section 1: modules, mounts, integrity, boot, core dumps, banners.
for module in cramfs freevxfs jffs2 hfs hfsplus squashfs udf vfat usb-storage dccp sctp rds tipc; do
  printf 'install %s /bin/false\nblacklist %s\n' "$module" "$module"
done >"$etc/modprobe.d/hardening.conf"
cat >"$etc/fstab" <<'END'
/dev/vg/root / ext4 defaults 0 1
tmpfs /tmp tmpfs rw,nosuid,nodev,noexec 0 0
tmpfs /dev/shm tmpfs rw,nosuid,nodev,noexec 0 0
/dev/vg/var /var ext4 defaults,nosuid,nodev 0 2
/dev/vg/var-tmp /var/tmp ext4 defaults,nosuid,nodev,noexec 0 2
/dev/vg/var-log /var/log ext4 defaults,nosuid,nodev,noexec 0 2
/dev/vg/var-log-audit /var/log/audit ext4 defaults,nosuid,nodev,noexec 0 2
/dev/vg/home /home ext4 defaults,nosuid,nodev 0 2
END
echo '0 5 * * * root /usr/bin/aide --config /etc/aide/aide.conf --check' >"$etc/cron.d/aide-check"
echo '* hard core 0' >"$etc/security/limits.d/no-core.conf"
mkdir -p "$etc/systemd/coredump.conf.d"
printf '[Coredump]\nStorage=none\nProcessSizeMax=0\n' >"$etc/systemd/coredump.conf.d/none.conf"
echo 'Authorized use only. Activity may be monitored.' | tee "$etc/motd" "$etc/issue" >"$etc/issue.net"
chmod 0644 "$etc/motd" "$etc/issue" "$etc/issue.net"

# Section 3: the network.
cat >"$etc/sysctl.d/60-hardening.conf" <<'END'
fs.suid_dumpable = 0
kernel.randomize_va_space = 2
net.ipv4.ip_forward = 0
net.ipv6.conf.all.forwarding = 0
net.ipv6.conf.default.forwarding = 0
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.default.send_redirects = 0
net.ipv4.conf.all.accept_source_route = 0
net.ipv4.conf.default.accept_source_route = 0
net.ipv6.conf.all.accept_source_route = 0
net.ipv6.conf.default.accept_source_route = 0
net.ipv4.conf.all.accept_redirects = 0
net.ipv4.conf.default.accept_redirects = 0
net.ipv6.conf.all.accept_redirects = 0
net.ipv6.conf.default.accept_redirects = 0
net.ipv4.conf.all.secure_redirects = 0
net.ipv4.conf.default.secure_redirects = 0
net.ipv4.conf.all.log_martians = 1
net.ipv4.conf.default.log_martians = 1
net.ipv4.icmp_echo_ignore_broadcasts = 1
net.ipv4.icmp_ignore_bogus_error_responses = 1
net.ipv4.conf.all.rp_filter = 1
net.ipv4.conf.default.rp_filter = 1
net.ipv4.tcp_syncookies = 1
net.ipv6.conf.all.accept_ra = 0
net.ipv6.conf.default.accept_ra = 0
END
echo 'ALL: 10.0.0.0/255.0.0.0' >"$etc/hosts.allow"
echo 'ALL: ALL' >"$etc/hosts.deny"
chmod 0644 "$etc/hosts.allow" "$etc/hosts.deny"

# Section 4: auditing and logs.
set_key() { # FILE KEY VALUE SEPARATOR: one line of a file with keys
  local file=$1 key=$2 value=$3 separator=$4
  touch "$file"
  sed -i -E "/^[#[:space:]]*${key}[[:space:]=]/d" "$file"
  printf '%s%s%s\n' "$key" "$separator" "$value" >>"$file"
}
if [ -f "$etc/audit/auditd.conf" ]; then
  set_key "$etc/audit/auditd.conf" max_log_file 32 ' = '
  set_key "$etc/audit/auditd.conf" max_log_file_action keep_logs ' = '
  set_key "$etc/audit/auditd.conf" space_left_action email ' = '
  set_key "$etc/audit/auditd.conf" action_mail_acct root ' = '
  set_key "$etc/audit/auditd.conf" admin_space_left_action halt ' = '
fi
set_key "$etc/rsyslog.conf" '$FileCreateMode' 0640 ' '
echo '*.* @@loghost.example.com:514' >"$etc/rsyslog.d/60-remote.conf"
mkdir -p "$etc/systemd/journald.conf.d"
printf '[Journal]\nForwardToSyslog=yes\nCompress=yes\nStorage=persistent\n' \
  >"$etc/systemd/journald.conf.d/zz-hardening.conf"
find "$root/var/log" -type f -exec chmod g-wx,o-rwx {} +
find "$root/var/log" -type d -exec chmod g-w,o-rwx {} +

# Section 5: cron, SSH, PAM, accounts.
chmod 0600 "$etc/crontab"
for folder in hourly daily weekly monthly d; do chmod 0700 "$etc/cron.$folder"; done
rm -f "$etc/cron.deny" "$etc/at.deny"
for name in cron at; do
  echo root >"$etc/$name.allow"
  chmod 0600 "$etc/$name.allow"
done
chmod 0600 "$etc/ssh/sshd_config" "$etc"/ssh/ssh_host_*_key 2>/dev/null || true
cat >"$etc/ssh/sshd_config.d/00-hardening.conf" <<'END'
LogLevel INFO
X11Forwarding no
MaxAuthTries 4
IgnoreRhosts yes
HostbasedAuthentication no
PermitRootLogin no
PermitEmptyPasswords no
PermitUserEnvironment no
Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512,hmac-sha2-256
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp521,ecdh-sha2-nistp384,ecdh-sha2-nistp256,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256
ClientAliveInterval 300
ClientAliveCountMax 3
LoginGraceTime 60
AllowGroups operators
Banner /etc/issue.net
UsePAM yes
AllowTcpForwarding no
MaxStartups 10:30:60
MaxSessions 4
END
chmod 0600 "$etc/ssh/sshd_config.d/00-hardening.conf"
cat >"$etc/pam.d/common-password" <<'END'
password requisite pam_pwquality.so retry=3
password required pam_pwhistory.so remember=5 use_authtok
password [success=1 default=ignore] pam_unix.so obscure use_authtok try_first_pass yescrypt
password requisite pam_deny.so
password required pam_permit.so
END
printf 'minlen = 14\nminclass = 4\ndcredit = -1\nucredit = -1\nocredit = -1\nlcredit = -1\n' \
  >"$etc/security/pwquality.conf"
cat >"$etc/pam.d/common-auth" <<'END'
auth required pam_faillock.so preauth silent deny=5 unlock_time=900
auth [success=2 default=ignore] pam_unix.so
auth [default=die] pam_faillock.so authfail deny=5 unlock_time=900
auth requisite pam_deny.so
auth required pam_permit.so
END
printf 'account required pam_faillock.so\n' >>"$etc/pam.d/common-account"
set_key "$etc/login.defs" PASS_MAX_DAYS 365 ' '
set_key "$etc/login.defs" PASS_MIN_DAYS 7 ' '
set_key "$etc/login.defs" PASS_WARN_AGE 7 ' '
set_key "$etc/login.defs" ENCRYPT_METHOD YESCRYPT ' '
set_key "$etc/login.defs" UMASK 027 ' '
set_key "$etc/default/useradd" INACTIVE 30 '='
printf 'umask 027\nreadonly TMOUT=900 ; export TMOUT\n' >"$etc/profile.d/hardening.sh"
printf '\numask 027\nreadonly TMOUT=900 ; export TMOUT\n' >>"$etc/bash.bashrc"
printf '\numask 027\n' >>"$etc/profile"
# A password for root, which single-user mode then asks for: "$y$" is yescrypt.
sed -i -E 's|^root:[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:[^:]*|root:$y$j9T$TestSaltOfNoUse.....$0123456789abcdefghijklmnopqrstuvwxyzABCDEFG:20000:7:365:7:30|' "$etc/shadow"
echo console >"$etc/securetty"
sed -i '1i auth requisite pam_securetty.so' "$etc/pam.d/login"
grep -q '^operators:' "$etc/group" || { echo 'operators:x:900:' >>"$etc/group"; echo 'operators:!::' >>"$etc/gshadow"; }
sed -i -E 's|^#? *auth +required +pam_wheel\.so.*|auth required pam_wheel.so use_uid group=operators|' "$etc/pam.d/su"
grep -q '^auth required pam_wheel' "$etc/pam.d/su" ||
  sed -i '1i auth required pam_wheel.so use_uid group=operators' "$etc/pam.d/su"

# Section 6: modes of the account files.
for name in passwd group passwd- group-; do [ -e "$etc/$name" ] && chmod 0644 "$etc/$name"; done
for name in shadow gshadow shadow- gshadow-; do [ -e "$etc/$name" ] && chmod 0640 "$etc/$name"; done
chmod 0700 "$root/root"
