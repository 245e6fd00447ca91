import { defineWatchCollector } from "../../src/contract/collector.ts";
import { loginPayload, loginsSettings } from "./schema.ts";
import { watchLogins } from "./watch.ts";

export const logins = defineWatchCollector({
  name: "logins",
  summary: "Who logged in or tried to, over the network and at the device, as whom and from where.",
  eventName: "Login",
  cost: "light",
  needs: [
    {
      kind: "path",
      what: "/{var,run}/log/journal",
      lostWithout:
        "The best source; a text log is followed instead, wtmp and btmp, or audit records",
    },
    {
      kind: "capability",
      what: "CAP_AUDIT_READ",
      lostWithout: "Audit records as a second witness, and where there is no log",
    },
  ],
  sources: [
    "systemd.journal-fields(7)",
    "sd-journal(3)",
    "sshd(8), OpenSSH auth.c",
    "su(1), login(1), sudoers(5)",
    "pam_unix(8)",
    "utmp(5)",
    "linux/audit.h",
    "RFC 3164, RFC 3339",
    "logrotate(8)",
  ],
  settings: loginsSettings,
  payload: loginPayload,
  watch: watchLogins,
});
