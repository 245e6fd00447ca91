import { defineSnapshotCollector } from "../../src/contract/collector.ts";
import { collectLocalUsers } from "./collect.ts";
import { localUsersPayload, localUsersSettings } from "./schema.ts";

const ACCOUNT_FILES: ReadonlySet<string> = new Set(["passwd", "group", "shadow"]);

export const localUsers = defineSnapshotCollector({
  name: "local-users",
  summary: "Local accounts with their groups, and whether and how each of them can log in.",
  eventName: "LocalUsers",
  cost: "light",
  needs: [
    { kind: "path", what: "/etc/passwd", lostWithout: "Everything" },
    { kind: "path", what: "/etc/group", lostWithout: "Group names and further groups" },
    {
      kind: "path",
      what: "/etc/shadow",
      lostWithout: "Whether an account has a password, and expired accounts",
    },
    {
      kind: "capability",
      what: "CAP_DAC_READ_SEARCH",
      lostWithout: "Password states (group shadow gives them too) and the count of SSH keys",
    },
  ],
  sources: [
    "passwd(5)",
    "group(5)",
    "shadow(5)",
    "crypt(5)",
    "login.defs(5)",
    "sshd(8)",
    "inotify(7)",
  ],
  settings: localUsersSettings,
  payload: localUsersPayload,
  collect: collectLocalUsers,
  async watchChanges(context, onChange) {
    const watching = context.probe.watchFolder("/etc", ACCOUNT_FILES, onChange);
    if (!watching.ok) throw new Error(`${watching.problem.subject}: ${watching.problem.detail}`);
    return { stop: async () => watching.value() };
  },
});
