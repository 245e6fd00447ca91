/** Devices with the audit daemon, and cases for rules in the many spellings that auditctl takes. */
import type { DeviceExtras } from "../../../src/baseline/device.ts";
import { valueFact } from "../../../src/baseline/fact.ts";
import type { WalkReport } from "../../../src/baseline/walk-report.ts";
import type { RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";

const RULES = "/etc/audit/rules.d/50-gateway.rules";

/** A machine of 64 bits with auditd and the folders that rules speak of. */
export const BASE: RootFiles = {
  "/usr/sbin/auditd": { mode: 0o755 },
  "/sbin": { link: "usr/sbin" },
  "/bin": { link: "usr/bin" },
  "/var/run": { link: "/run" },
  "/proc/sys/kernel/arch": "x86_64\n",
  "/etc/login.defs": "UID_MIN 1000\n",
  "/etc/audit/rules.d/10-base.rules": "## First rule\n-D\n-b 8192\n--backlog_wait_time 60000\n-f 1\n",
};

export function withRules(...lines: readonly string[]): CaseDevice {
  return { files: { ...BASE, [RULES]: `${lines.join("\n")}\n` } };
}

export function more(device: CaseDevice, files: RootFiles): CaseDevice {
  return { ...device, files: { ...device.files, ...files } };
}

export const NO_AUDITD: CaseDevice = { files: { "/etc/hostname": "gw\n" } };

export interface Lines {
  /** Files that the rule's paths need. */
  readonly files?: RootFiles;
  /** Lines that pass, each of which is needed. */
  readonly lines: readonly string[];
  /** Other spellings that pass. */
  readonly spellings?: readonly (readonly string[])[];
  /** Sets of lines that fail. */
  readonly fails?: readonly (readonly string[])[];
  readonly notApplicable?: readonly CaseDevice[];
}

/** Passes with all lines in any order, and fails without any one of them. */
export function rules(rule: string, { files = {}, lines, spellings, fails, ...rest }: Lines): RuleCases {
  const device = (...some: readonly string[]): CaseDevice => more(withRules(...some), files);
  const keyed = lines.map((line) => `${line} -k mine`);
  return {
    rule,
    pass: [
      device(...lines),
      device(...[...keyed].reverse()),
      { files: { ...BASE, ...files, "/etc/audit/rules.d/90.rules": keyed.join("\n"), [RULES]: "" } },
      ...(spellings ?? []).map((some) => device(...some)),
    ],
    fail: [
      device(),
      ...lines.map((without) => device(...lines.filter((line) => line !== without))),
      device(...lines.map((line) => `#${line}`)),
      device("-a task,never", ...lines),
      ...(fails ?? []).map((some) => device(...some)),
    ],
    notApplicable: [NO_AUDITD, ...(rest.notApplicable ?? [])],
    error: [
      device(...lines, "%%% garbage %%%"),
      device(...lines, "-a always,exit -F nonsense"),
      more(device(...lines), { "/etc/audit/rules.d/z.rules": "\0\0" }),
    ],
  };
}

export function watches(rule: string, files: RootFiles, ...paths: readonly string[]): RuleCases {
  const lines = paths.map((path) => `-w ${path} -p wa`);
  const asCalls = paths.map((path) => `-a always,exit -F path=${path} -F perm=wa -F key=x`);
  const perTable = paths.flatMap((path) =>
    ["b64", "b32"].map((arch) => `-a exit,always -S all -F arch=${arch} -F path=${path} -F perm=aw`),
  );
  return rules(rule, {
    files,
    lines,
    spellings: [
      asCalls,
      perTable,
      paths.map((path) => `-w ${path} -p rwxa -k "two words"`),
      ["-w /etc -p wa", "-w /var/log/ -p wa", "-w /run -p wa", "-a always,exit -F dir=/usr/share -F perm=wa"],
    ],
    fails: [
      paths.map((path) => `-w ${path} -p r`),
      paths.map((path) => `-a always,exit -F arch=b64 -F path=${path} -F perm=wa`),
      paths.map((path) => `-a never,exit -F path=${path} -F perm=wa`),
      asCalls.map((line) => `${line} -F auid>=1000`),
    ],
  });
}

export const PEOPLE = "-F auid>=1000 -F auid!=4294967295";

export function both(calls: string, conditions = ""): readonly string[] {
  return ["b64", "b32"].map((arch) => `-a always,exit -F arch=${arch} ${calls} ${conditions}`);
}

export function walked(setuid: readonly string[], changes: Partial<WalkReport> = {}): DeviceExtras {
  const none = { total: 0, paths: [] };
  return {
    walk: valueFact({
      entries: 1000,
      isCut: false,
      finishedAtMs: 0,
      openFolders: none,
      openFiles: none,
      unknownUsers: none,
      unknownGroups: none,
      setuid: { total: setuid.length, paths: setuid },
      setgid: none,
      ...changes,
    }),
  };
}

export function auditd(rule: string, good: readonly string[], bad: readonly string[]): RuleCases {
  const device = (text: string): CaseDevice => ({
    files: { "/sbin/auditd": "", "/etc/audit/auditd.conf": text },
  });
  return {
    rule,
    pass: good.map((text) => device(`# auditd\nlog_format = ENRICHED\n${text}\n`)),
    fail: [device("log_format = RAW\n"), ...bad.map(device)],
    notApplicable: [NO_AUDITD],
    error: [device("\0\0"), device("%% this is\n%% no configuration")],
  };
}

/** As `rules`, with machines whose tables of calls are others. */
export function withMachines(rule: string, lines: Lines): RuleCases {
  const cases = rules(rule, lines);
  const on = (arch: string, ...some: readonly string[]): CaseDevice =>
    more(withRules(...some), { "/proc/sys/kernel/arch": `${arch}\n` });
  const [, b32 = ""] = both("-S unlink,unlinkat,rename,renameat", PEOPLE);
  const [newCalls = ""] = both("-S unlinkat,renameat", PEOPLE);
  const linker: RootFiles = { ...withRules(newCalls, b32).files, "/lib/ld-linux-aarch64.so.1": "" };
  return {
    ...cases,
    pass: [
      ...cases.pass,
      on("aarch64", newCalls, b32),
      on("armv7l", b32),
      on("riscv64", newCalls.replace(",renameat", "")),
      { files: linker, isLive: false },
    ],
    fail: [...cases.fail, on("aarch64", newCalls), on("x86_64", newCalls, b32), on("i686", newCalls)],
  };
}

export const PASSWD_PROGRAM = "-a always,exit -F path=/bin/su -F perm=x";
export const SUDOERS = { "/etc/sudoers": "Defaults env_reset\n@includedir /etc/sudoers.d\n" };
export const SUDO_LOG = {
  ...SUDOERS,
  "/etc/sudoers.d/log": 'Defaults use_pty, logfile="/var/log/sudo.log"\n',
};
export const SYSTEMD = { "/usr/lib/systemd/system/auditd.service": "[Service]\nExecStart=/x\n" };
