import type { Device } from "../device.ts";
import type { Outcome } from "../outcome.ts";
import { type AccountPasswordCheck, judgeAccountPassword } from "./account-password.ts";
import { type AccountsCheck, judgeAccounts } from "./accounts.ts";
import { type AppArmorCheck, judgeAppArmor } from "./apparmor.ts";
import { type AuditFoundPathsCheck, judgeAuditFoundPaths } from "./audit-found-paths.ts";
import {
  type AuditLockCheck,
  type AuditRulesCheck,
  judgeAuditLock,
  judgeAuditRules,
} from "./audit-rules.ts";
import { type BannerCheck, judgeBanner } from "./banner.ts";
import { type ExecuteProtectionCheck, judgeExecuteProtection } from "./cpu.ts";
import {
  type FileExistsCheck,
  type FileModeCheck,
  judgeFileExists,
  judgeFileMode,
} from "./file.ts";
import { type FirewallCheck, judgeFirewall } from "./firewall.ts";
import { type HomesCheck, judgeHomes } from "./homes.ts";
import { type InetdCheck, judgeInetd } from "./inetd.ts";
import { type Ipv6OffCheck, judgeIpv6Off } from "./ipv6.ts";
import { judgeKernelArgument, type KernelArgumentCheck } from "./kernel-argument.ts";
import { judgeKernelFile, type KernelFileCheck } from "./kernel-file.ts";
import { judgeKernelLine, type KernelLineCheck } from "./kernel-line.ts";
import { judgeKernelModule, type KernelModuleCheck } from "./kernel-module.ts";
import { judgeLines, type LinesCheck } from "./lines.ts";
import { judgeLoopbackOnly, type LoopbackOnlyCheck } from "./listener.ts";
import { judgeLogrotate, type LogrotateCheck } from "./logrotate.ts";
import {
  judgeMount,
  judgeMountOption,
  judgeMountPlace,
  judgeRemovableOption,
  type MountCheck,
  type MountOptionCheck,
  type MountPlaceCheck,
  type RemovableOptionCheck,
} from "./mount.ts";
import { judgePackage, type PackageCheck } from "./package.ts";
import { judgePam, type PamCheck } from "./pam.ts";
import {
  judgeLoginDefs,
  judgePasswordAge,
  type LoginDefsCheck,
  type PasswordAgeCheck,
} from "./password-age.ts";
import {
  judgeProcessLabel,
  judgeProcessUser,
  type ProcessLabelCheck,
  type ProcessUserCheck,
} from "./process.ts";
import { judgeRootConsole, type RootConsoleCheck } from "./root-login.ts";
import { judgeRootPath, type RootPathCheck } from "./root-path.ts";
import { judgeRsyslog, type RsyslogCheck } from "./rsyslog.ts";
import { judgeService, judgeUnitLine, type ServiceCheck, type UnitLineCheck } from "./service.ts";
import { judgeSetting, type SettingCheck } from "./setting.ts";
import {
  judgeShellTimeout,
  judgeUmask,
  type ShellTimeoutCheck,
  type UmaskCheck,
} from "./shell-defaults.ts";
import { judgeSshd, judgeSshdAny, type SshdAnyCheck, type SshdCheck } from "./sshd.ts";
import { judgeSshdKeyMode, type SshdKeyModeCheck } from "./sshd-keys.ts";
import { judgeSysctl, type SysctlCheck } from "./sysctl.ts";
import { judgeSysctlInterfaces, type SysctlInterfacesCheck } from "./sysctl-interfaces.ts";
import { judgeTreeMode, type TreeModeCheck } from "./tree-mode.ts";
import { judgeWalk, type WalkCheck } from "./walk.ts";
import { judgeWirelessOff, type WirelessOffCheck } from "./wireless.ts";

/** One question to the device. */
export type PrimitiveCheck =
  | AccountPasswordCheck
  | AppArmorCheck
  | BannerCheck
  | ExecuteProtectionCheck
  | InetdCheck
  | KernelFileCheck
  | KernelLineCheck
  | LoopbackOnlyCheck
  | ProcessLabelCheck
  | ProcessUserCheck
  | AccountsCheck
  | AuditFoundPathsCheck
  | AuditLockCheck
  | AuditRulesCheck
  | FileExistsCheck
  | FileModeCheck
  | FirewallCheck
  | HomesCheck
  | Ipv6OffCheck
  | KernelArgumentCheck
  | KernelModuleCheck
  | LinesCheck
  | LoginDefsCheck
  | LogrotateCheck
  | MountCheck
  | MountOptionCheck
  | MountPlaceCheck
  | PackageCheck
  | PamCheck
  | PasswordAgeCheck
  | RemovableOptionCheck
  | RootConsoleCheck
  | RootPathCheck
  | RsyslogCheck
  | ServiceCheck
  | SettingCheck
  | ShellTimeoutCheck
  | SshdAnyCheck
  | SshdCheck
  | SshdKeyModeCheck
  | SysctlCheck
  | SysctlInterfacesCheck
  | TreeModeCheck
  | UmaskCheck
  | UnitLineCheck
  | WalkCheck
  | WirelessOffCheck;

/** Hands a check to the primitive that it names. */
export function judgePrimitive(check: PrimitiveCheck, device: Device): Outcome {
  switch (check.test) {
    case "account-password":
      return judgeAccountPassword(check, device);
    case "apparmor-enforced":
      return judgeAppArmor(check, device);
    case "banner":
      return judgeBanner(check, device);
    case "execute-protection":
      return judgeExecuteProtection(check, device);
    case "inetd-off":
      return judgeInetd(check, device);
    case "kernel-file":
      return judgeKernelFile(check, device);
    case "kernel-line":
      return judgeKernelLine(check, device);
    case "loopback-only":
      return judgeLoopbackOnly(check, device);
    case "process-label":
      return judgeProcessLabel(check, device);
    case "process-user":
      return judgeProcessUser(check, device);
    case "accounts":
      return judgeAccounts(check, device);
    case "audit-found-paths":
      return judgeAuditFoundPaths(check, device);
    case "audit-lock":
      return judgeAuditLock(check, device);
    case "audit-rules":
      return judgeAuditRules(check, device);
    case "file-exists":
      return judgeFileExists(check, device);
    case "file-mode":
      return judgeFileMode(check, device);
    case "firewall":
      return judgeFirewall(check, device);
    case "homes":
      return judgeHomes(check, device);
    case "ipv6-off":
      return judgeIpv6Off(check, device);
    case "kernel-argument":
      return judgeKernelArgument(check, device);
    case "lines":
      return judgeLines(check, device);
    case "login-defs":
      return judgeLoginDefs(check, device);
    case "logrotate":
      return judgeLogrotate(check, device);
    case "module-blocked":
      return judgeKernelModule(check, device);
    case "mount":
      return judgeMount(check, device);
    case "mount-option":
      return judgeMountOption(check, device);
    case "mount-place":
      return judgeMountPlace(check, device);
    case "package":
      return judgePackage(check, device);
    case "pam":
      return judgePam(check, device);
    case "password-age":
      return judgePasswordAge(check, device);
    case "removable-option":
      return judgeRemovableOption(check, device);
    case "root-console":
      return judgeRootConsole(check, device);
    case "root-path":
      return judgeRootPath(check, device);
    case "rsyslog":
      return judgeRsyslog(check, device);
    case "service":
      return judgeService(check, device);
    case "setting":
      return judgeSetting(check, device);
    case "shell-timeout":
      return judgeShellTimeout(check, device);
    case "sshd":
      return judgeSshd(check, device);
    case "sshd-any":
      return judgeSshdAny(check, device);
    case "sshd-key-mode":
      return judgeSshdKeyMode(check, device);
    case "sysctl":
      return judgeSysctl(check, device);
    case "sysctl-interfaces":
      return judgeSysctlInterfaces(check, device);
    case "tree-mode":
      return judgeTreeMode(check, device);
    case "umask":
      return judgeUmask(check, device);
    case "unit-line":
      return judgeUnitLine(check, device);
    case "walk":
      return judgeWalk(check, device);
    case "wireless-off":
      return judgeWirelessOff(check, device);
  }
}
