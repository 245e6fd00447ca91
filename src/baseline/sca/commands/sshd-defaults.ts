/**
 * Values of keys that no file sets, as `sshd -T` prints them. They have been the same since OpenSSH 8.9 as far
 * as the keys are known to a version. Source: OpenSSH servconf.c (fill_default_server_options).
 */
export const SSHD_DEFAULTS: ReadonlyMap<string, string> = new Map([
  ["port", "22"],
  ["addressfamily", "any"],
  ["usepam", "no"],
  ["logingracetime", "120"],
  ["x11displayoffset", "10"],
  ["maxauthtries", "6"],
  ["maxsessions", "10"],
  ["clientaliveinterval", "0"],
  ["clientalivecountmax", "3"],
  ["requiredrsasize", "1024"],
  ["streamlocalbindmask", "0177"],
  ["unusedconnectiontimeout", "none"],
  ["permitrootlogin", "without-password"],
  ["ignorerhosts", "yes"],
  ["ignoreuserknownhosts", "no"],
  ["hostbasedauthentication", "no"],
  ["hostbasedusesnamefrompacketonly", "no"],
  ["pubkeyauthentication", "yes"],
  ["kerberosauthentication", "no"],
  ["kerberosorlocalpasswd", "yes"],
  ["kerberosticketcleanup", "yes"],
  ["gssapiauthentication", "no"],
  ["gssapicleanupcredentials", "yes"],
  ["passwordauthentication", "yes"],
  ["kbdinteractiveauthentication", "yes"],
  ["printmotd", "yes"],
  ["printlastlog", "yes"],
  ["x11forwarding", "no"],
  ["x11uselocalhost", "yes"],
  ["permittty", "yes"],
  ["permituserrc", "yes"],
  ["strictmodes", "yes"],
  ["tcpkeepalive", "yes"],
  ["permitemptypasswords", "no"],
  ["compression", "yes"],
  ["gatewayports", "no"],
  ["usedns", "no"],
  ["allowtcpforwarding", "yes"],
  ["allowagentforwarding", "yes"],
  ["disableforwarding", "no"],
  ["allowstreamlocalforwarding", "yes"],
  ["streamlocalbindunlink", "no"],
  ["fingerprinthash", "SHA256"],
  ["exposeauthinfo", "no"],
  ["pidfile", "/run/sshd.pid"],
  ["modulifile", "/etc/ssh/moduli"],
  ["xauthlocation", "/usr/bin/xauth"],
  ["banner", "none"],
  ["forcecommand", "none"],
  ["chrootdirectory", "none"],
  ["trustedusercakeys", "none"],
  ["revokedkeys", "none"],
  ["securitykeyprovider", "internal"],
  ["authorizedprincipalsfile", "none"],
  ["versionaddendum", "none"],
  ["authorizedkeyscommand", "none"],
  ["authorizedkeyscommanduser", "none"],
  ["authorizedprincipalscommand", "none"],
  ["authorizedprincipalscommanduser", "none"],
  ["hostkeyagent", "none"],
  ["loglevel", "INFO"],
  ["syslogfacility", "AUTH"],
  ["authorizedkeysfile", ".ssh/authorized_keys .ssh/authorized_keys2"],
  ["authenticationmethods", "any"],
  ["maxstartups", "10:30:100"],
  ["persourcemaxstartups", "none"],
  ["persourcenetblocksize", "32:128"],
  ["permittunnel", "no"],
  ["ipqos", "lowdelay throughput"],
  ["rekeylimit", "0 0"],
  ["permitopen", "any"],
  ["permitlisten", "any"],
  ["permituserenvironment", "no"],
  ["pubkeyauthoptions", "none"],
]);

const CHACHA = "chacha20-poly1305@openssh.com";
const COUNTER = "aes128-ctr,aes192-ctr,aes256-ctr";
const GALOIS = "aes128-gcm@openssh.com,aes256-gcm@openssh.com";
const MACS =
  "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1";
const SIGNATURES =
  "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256";
const KEYS =
  "ssh-ed25519-cert-v01@openssh.com,ecdsa-sha2-nistp256-cert-v01@openssh.com,ecdsa-sha2-nistp384-cert-v01@openssh.com,ecdsa-sha2-nistp521-cert-v01@openssh.com,sk-ssh-ed25519-cert-v01@openssh.com,sk-ecdsa-sha2-nistp256-cert-v01@openssh.com,rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com,ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256";
const CURVES =
  "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521";
const GROUPS =
  "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256";
const HYBRID = "sntrup761x25519-sha512@openssh.com";
const LATTICE = "mlkem768x25519-sha256";

function keyExchange(version: number): string {
  if (version >= 1000) return [LATTICE, "sntrup761x25519-sha512", HYBRID, CURVES].join(",");
  if (version >= 909) return ["sntrup761x25519-sha512", HYBRID, LATTICE, CURVES, GROUPS].join(",");
  return [HYBRID, CURVES, GROUPS].join(",");
}

/**
 * Lists of algorithms that are built in, by version (902 is 9.2). Empty where the version is not one whose
 * lists are known: before 8.9 and after 10.2. Source: OpenSSH myproposal.h.
 */
export function sshdAlgorithms(version: number | undefined): ReadonlyMap<string, string> {
  if (version === undefined || version < 809 || version > 1002) return new Map();
  return new Map([
    // Since 10.0 the modes that also authenticate come first.
    [
      "ciphers",
      version >= 1000 ? [CHACHA, GALOIS, COUNTER].join(",") : [CHACHA, COUNTER, GALOIS].join(","),
    ],
    ["macs", MACS],
    ["kexalgorithms", keyExchange(version)],
    ["casignaturealgorithms", SIGNATURES],
    ["hostkeyalgorithms", KEYS],
    ["pubkeyacceptedalgorithms", KEYS],
    ["hostbasedacceptedalgorithms", KEYS],
  ]);
}
