import type { Device } from "../device.ts";
import type { Outcome } from "../outcome.ts";
import { type AccountPasswordCheck, judgeAccountPassword } from "./account-password.ts";
import { type AppArmorCheck, judgeAppArmor } from "./apparmor.ts";
import { type BannerCheck, judgeBanner } from "./banner.ts";
import { type ExecuteProtectionCheck, judgeExecuteProtection } from "./cpu.ts";
import {
  type FileExistsCheck,
  type FileModeCheck,
  judgeFileExists,
  judgeFileMode,
} from "./file.ts";
import { type InetdCheck, judgeInetd } from "./inetd.ts";
import { judgeKernelFile, type KernelFileCheck } from "./kernel-file.ts";
import { judgeKernelLine, type KernelLineCheck } from "./kernel-line.ts";
import { judgeKernelModule, type KernelModuleCheck } from "./kernel-module.ts";
import { judgeLines, type LinesCheck } from "./lines.ts";
import { judgeLoopbackOnly, type LoopbackOnlyCheck } from "./listener.ts";
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
  judgeProcessLabel,
  judgeProcessUser,
  type ProcessLabelCheck,
  type ProcessUserCheck,
} from "./process.ts";
import { judgeService, judgeUnitLine, type ServiceCheck, type UnitLineCheck } from "./service.ts";
import { judgeSetting, type SettingCheck } from "./setting.ts";
import { judgeSshd, judgeSshdAny, type SshdAnyCheck, type SshdCheck } from "./sshd.ts";
import { judgeSysctl, type SysctlCheck } from "./sysctl.ts";
import { judgeWalk, type WalkCheck } from "./walk.ts";

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
  | WalkCheck
  | FileExistsCheck
  | FileModeCheck
  | KernelModuleCheck
  | LinesCheck
  | MountCheck
  | MountOptionCheck
  | MountPlaceCheck
  | PackageCheck
  | PamCheck
  | RemovableOptionCheck
  | ServiceCheck
  | SettingCheck
  | SshdAnyCheck
  | SshdCheck
  | SysctlCheck
  | UnitLineCheck;

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
    case "walk-empty":
      return judgeWalk(check, device);
    case "file-exists":
      return judgeFileExists(check, device);
    case "file-mode":
      return judgeFileMode(check, device);
    case "lines":
      return judgeLines(check, device);
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
    case "removable-option":
      return judgeRemovableOption(check, device);
    case "service":
      return judgeService(check, device);
    case "setting":
      return judgeSetting(check, device);
    case "sshd":
      return judgeSshd(check, device);
    case "sshd-any":
      return judgeSshdAny(check, device);
    case "sysctl":
      return judgeSysctl(check, device);
    case "unit-line":
      return judgeUnitLine(check, device);
  }
}
