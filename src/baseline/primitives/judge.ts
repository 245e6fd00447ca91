import type { Device } from "../device.ts";
import type { Outcome } from "../outcome.ts";
import {
  type FileExistsCheck,
  type FileModeCheck,
  judgeFileExists,
  judgeFileMode,
} from "./file.ts";
import { judgeKernelModule, type KernelModuleCheck } from "./kernel-module.ts";
import { judgeLines, type LinesCheck } from "./lines.ts";
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
import { judgeService, judgeUnitLine, type ServiceCheck, type UnitLineCheck } from "./service.ts";
import { judgeSetting, type SettingCheck } from "./setting.ts";
import { judgeSshd, judgeSshdAny, type SshdAnyCheck, type SshdCheck } from "./sshd.ts";
import { judgeSysctl, type SysctlCheck } from "./sysctl.ts";

/** One question to the device. */
export type PrimitiveCheck =
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
