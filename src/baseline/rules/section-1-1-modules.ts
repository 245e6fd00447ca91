import type { Check } from "../check.ts";
import type { Rule } from "../rule.ts";
import { IN_A_CONTAINER, NOT_A_CONTAINER } from "./conditions.ts";

interface ModuleRule {
  readonly id: string;
  readonly module: string;
  readonly filesystem?: string;
  readonly rationale: string;
  /** What to mind before doing it. */
  readonly caution?: string;
}

function blocked(module: string, filesystem?: string): Check {
  return { test: "module-blocked", module, ...(filesystem === undefined ? {} : { filesystem }) };
}

function filesystemRule({ id, module, filesystem, rationale, caution }: ModuleRule): Rule {
  const advice = `Write \`install ${module} /bin/false\` and \`blacklist ${module}\` to /etc/modprobe.d/${module}.conf, then run \`modprobe -r ${module}\`.`;
  return {
    id,
    title: `The ${module} file system cannot be mounted`,
    rationale,
    remediation: caution === undefined ? advice : `${advice} ${caution}`,
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Informational",
    group: "Filesystem Configuration",
    cost: "shared",
    appliesWhen: NOT_A_CONTAINER,
    otherwise: IN_A_CONTAINER,
    check: blocked(module, filesystem ?? module),
  };
}

/** File systems that few devices need: 1.1.1.1 to 1.1.1.7. */
const FILESYSTEMS = [
  {
    id: "1.1.1.1",
    module: "cramfs",
    rationale:
      "Old read-only format of small images. Its code sees little care, and a prepared image may exploit it.",
  },
  {
    id: "1.1.1.2",
    module: "freevxfs",
    filesystem: "vxfs",
    rationale: "Reads volumes of a commercial Unix. Code that nobody here uses is only attacked.",
  },
  {
    id: "1.1.1.3",
    module: "jffs2",
    rationale:
      "Format for raw flash. On a device without such flash it only adds code that a prepared image may exploit.",
    caution:
      "Do not on a gateway that keeps its root or settings on raw flash: waive the rule there.",
  },
  {
    id: "1.1.1.4",
    module: "hfs",
    rationale:
      "Format of old Macintosh disks. A stick in this format reaches code with known flaws.",
  },
  {
    id: "1.1.1.5",
    module: "hfsplus",
    rationale: "Format of newer Macintosh disks, with the same risk from a stick as its elder.",
  },
  {
    id: "1.1.1.6",
    module: "squashfs",
    rationale:
      "Compressed read-only images can be mounted by hand to bring programs along that no package tool knows.",
    caution:
      "Do not where the root file system or snap packages are such images: waive the rule there.",
  },
  {
    id: "1.1.1.7",
    module: "udf",
    rationale: "Format of optical discs. A device without a drive has no use for it.",
  },
] as const;

/** Modules of the kernel that must not load: 1.1.1.1 to 1.1.1.8, and 1.1.23. */
export const MODULE_RULES: readonly Rule[] = [
  ...FILESYSTEMS.map(filesystemRule),
  {
    ...filesystemRule({
      id: "1.1.1.8",
      module: "vfat",
      rationale:
        "The format of most sticks. A device that starts by UEFI needs it for one partition, and for nothing else.",
      caution: "Where the device starts from a vfat partition, mount vfat there alone instead.",
    }),
    title: "The vfat file system serves the boot partition alone",
    level: 2,
    workstationLevel: 2,
    isScored: false,
    check: {
      any: [
        blocked("vfat", "vfat"),
        {
          test: "mount-place",
          types: ["vfat", "msdos"],
          paths: ["/boot/efi", "/efi", "/boot", "/boot/firmware", "/uboot"],
        },
      ],
    },
  },
];

/** 1.1.23. */
export const USB_STORAGE_RULE: Rule = {
  id: "1.1.23",
  title: "USB storage cannot be attached",
  rationale:
    "Whoever reaches a USB socket of the gateway can bring programs in and carry data out on a stick.",
  remediation:
    "Write `install usb-storage /bin/false` and `blacklist usb-storage` to /etc/modprobe.d/usb-storage.conf, then run `modprobe -r usb-storage`. Waive the rule where the device starts from a stick.",
  level: 1,
  workstationLevel: 2,
  isScored: true,
  severity: "Warning",
  group: "Filesystem Configuration",
  cost: "shared",
  appliesWhen: NOT_A_CONTAINER,
  otherwise: IN_A_CONTAINER,
  check: blocked("usb-storage"),
};
