import { defineSnapshotCollector } from "../../src/contract/collector.ts";
import { collectOsBaseline } from "./collect.ts";
import { osBaselinePayload, osBaselineSettings, steerOsBaseline } from "./schema.ts";
import { watchFileSystems } from "./walk-watch.ts";

export const osBaseline = defineSnapshotCollector({
  name: "os-baseline",
  summary:
    "Whether the device complies with the controls of CIS Distribution Independent Linux, and with checks of one's own.",
  eventName: "OSBaseline",
  cost: "heavy",
  needs: [
    { kind: "path", what: "/etc", lostWithout: "Everything" },
    {
      kind: "capability",
      what: "CAP_DAC_READ_SEARCH",
      lostWithout:
        "Checks of files that only root may read, such as /etc/shadow: they are errors; and folders of others in the walk",
    },
    {
      kind: "path",
      what: "/proc/self/mountinfo",
      lostWithout: "The walk over the file systems, and the seven controls that need it",
    },
  ],
  sources: [
    "CIS Distribution Independent Linux Benchmark v2.0.0 (numbers of the controls)",
    "proc_pid_mountinfo(5)",
    "os-release(5)",
    "sysctl.d(5)",
    "sshd_config(5)",
    "systemd.unit(5)",
    "pam.conf(5)",
  ],
  settings: osBaselineSettings,
  payload: osBaselinePayload,
  steer: steerOsBaseline,
  collect: collectOsBaseline,
  watchChanges: watchFileSystems,
});
