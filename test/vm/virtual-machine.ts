/** A Debian machine in QEMU: booted, driven over ssh and the serial console, cut off, booted again. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { accelerator } from "./accelerator.ts";
import { type ImageName, imageFolder, privateKey } from "./images.ts";

export interface CommandEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MachineOptions {
  readonly image: ImageName;
  /** Gets the disk, the console log and what is kept of a failure. */
  readonly folder: string;
  readonly memoryMb?: number;
  readonly processors?: number;
  readonly say?: (line: string) => void;
}

/** Where the guest finds the host: its loopback, by the name that certificates carry. */
export const HOST_NAME = "hub.gatewarden.test";
/** The same as a number; what listens on 127.0.0.1 of the host answers there. */
export const HOST_ADDRESS = "10.0.2.2";

/** What QEMU plays for each architecture; another processor than the host's is slower still. */
const PLAYED = {
  amd64: { program: "qemu-system-x86_64", machine: "q35", processor: "max", console: "ttyS0" },
  arm64: {
    program: "qemu-system-aarch64",
    machine: "virt",
    processor: "cortex-a53",
    console: "ttyAMA0",
  },
} as const;

const BOOT_DEADLINE_MS = 300_000;
const COMMAND_DEADLINE_MS = 120_000;
/**
 * A login takes seconds where the processor is played and shared. One that is given up is not free: the guest
 * begins the next from the start, so that impatience keeps a slow machine from ever answering.
 */
const LOGIN_DEADLINE_MS = 60_000;
/** When a machine is asked though its console shows no prompt. */
const PROMPT_PATIENCE_MS = 90_000;
/** The kernel's own parameters: no renamed interface, restart when it panics. */
const KERNEL_LINE =
  "root=/dev/vda rw quiet loglevel=4 systemd.show_status=false net.ifnames=0 panic=1";

/**
 * A machine on a disk of its own above the shared image. A power cut is SIGKILL to QEMU: what the guest
 * has flushed is in the host's file, what it has not is lost, as with a real disk.
 */
export class VirtualMachine {
  readonly consoleLog: string;
  /** How long the last start took: what the machine is worth at the moment. */
  bootMs = 0;
  private usedSeconds = 0;
  private readonly options: MachineOptions;
  private readonly disk: string;
  private image = "";
  private port = 0;
  private child: ChildProcess | undefined;
  /** The console shows a prompt: what a login needs has been started. */
  private hasPrompt = false;

  constructor(options: MachineOptions) {
    this.options = options;
    mkdirSync(options.folder, { recursive: true });
    this.disk = join(options.folder, "disk.qcow2");
    this.consoleLog = join(options.folder, "console.log");
  }

  /** Starts QEMU and waits until commands can be run. */
  async boot(): Promise<void> {
    if (this.image === "") this.prepareDisk();
    this.port = await freePort();
    const startedAtMs = Date.now();
    writeFileSync(this.consoleLog, "", { flag: "a" });
    // The machine dies with this process, however that ends.
    const dieWithParent = ["--pdeathsig", "KILL", this.played().program];
    this.child = spawn("setpriv", [...dieWithParent, ...this.qemuArguments()], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.hasPrompt = false;
    let shown = "";
    this.child.stdout?.on("data", (bytes: Buffer) => {
      appendFileSync(this.consoleLog, bytes);
      // A few bytes at a time, as a serial line does.
      const text = shown + bytes.toString("latin1");
      this.hasPrompt ||= text.includes("login:");
      shown = text.slice(-100);
    });
    this.child.stderr?.on("data", (bytes: Buffer) => appendFileSync(this.consoleLog, bytes));
    await this.untilReachable(startedAtMs + BOOT_DEADLINE_MS);
    this.bootMs = Date.now() - startedAtMs;
    this.options.say?.(`${this.options.image} is up after ${Math.round(this.bootMs / 1_000)} s`);
  }

  private prepareDisk(): void {
    this.image = imageFolder(this.options.image, this.options.say ?? (() => undefined));
    const base = join(this.image, "root.ext4");
    const args = ["create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", this.disk];
    execFileSync("qemu-img", args);
  }

  private played(): (typeof PLAYED)[keyof typeof PLAYED] {
    return PLAYED[this.options.image.endsWith("arm64") ? "arm64" : "amd64"];
  }

  private qemuArguments(): readonly string[] {
    const played = this.played();
    const drive = `id=root,if=none,format=qcow2,cache=writeback,file=${this.disk}`;
    const network = `user,id=net,hostfwd=tcp:127.0.0.1:${this.port}-:22`;
    return [
      ...["-machine", played.machine, ...this.acceleratorArguments()],
      ...["-smp", String(this.options.processors ?? 2), "-m", String(this.options.memoryMb ?? 512)],
      ...["-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio"],
      ...["-kernel", join(this.image, "vmlinuz"), "-initrd", join(this.image, "initrd.img")],
      ...["-append", `console=${played.console} ${KERNEL_LINE}`],
      ...["-drive", drive, "-device", "virtio-blk-pci,drive=root"],
      ...["-netdev", network, "-device", "virtio-net-pci,netdev=net"],
    ];
  }

  private acceleratorArguments(): readonly string[] {
    const { processor } = this.played();
    return processor === "max" && accelerator() === "kvm"
      ? ["-accel", "kvm", "-cpu", "host"]
      : ["-accel", "tcg,thread=multi,tb-size=256", "-cpu", processor];
  }

  private async untilReachable(deadlineMs: number): Promise<void> {
    const askAnywayMs = Date.now() + PROMPT_PATIENCE_MS;
    for (;;) {
      if (this.child?.exitCode !== null) throw new Error(`QEMU ended: ${this.consoleTail()}`);
      if (this.hasPrompt || Date.now() > askAnywayMs) {
        const { code, stderr } = await this.run("true", LOGIN_DEADLINE_MS);
        if (code === 0) return;
        if (Date.now() > deadlineMs) throw new Error(`no ssh: ${stderr}${this.consoleTail()}`);
      }
      await pause(500);
    }
  }

  /** Runs a command line of the guest's shell as root. Code 255: the guest cannot be reached. */
  run(command: string, deadlineMs = COMMAND_DEADLINE_MS): Promise<CommandEnd> {
    return execute("ssh", [...this.sshOptions("-p"), "root@127.0.0.1", command], deadlineMs);
  }

  /** Runs a command that must succeed; returns what it said. */
  async must(command: string, deadlineMs = COMMAND_DEADLINE_MS): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, deadlineMs);
    if (code !== 0) throw new Error(`${command}: exit code ${code}\n${stderr}${stdout}`);
    return stdout.trim();
  }

  async copyIn(file: string, path: string): Promise<void> {
    const args = [...this.sshOptions("-P"), "-q", file, `root@127.0.0.1:${path}`];
    const { code, stderr } = await execute("scp", args, COMMAND_DEADLINE_MS);
    if (code !== 0) throw new Error(`copying ${file}: ${stderr}`);
  }

  async copyOut(path: string, file: string): Promise<void> {
    const args = [...this.sshOptions("-P"), "-q", `root@127.0.0.1:${path}`, file];
    const { code, stderr } = await execute("scp", args, COMMAND_DEADLINE_MS);
    if (code !== 0) throw new Error(`copying ${path}: ${stderr}`);
  }

  private sshOptions(portFlag: "-p" | "-P"): readonly string[] {
    const settings = [
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
      "LogLevel=ERROR",
      "ConnectTimeout=30",
      "ControlMaster=auto",
      "ControlPersist=60",
      `ControlPath=${join(this.options.folder, `ssh-${this.port}`)}`,
    ];
    return [
      portFlag,
      String(this.port),
      "-i",
      privateKey(),
      ...settings.flatMap((one) => ["-o", one]),
    ];
  }

  /** Loopback port of the host that leads to the guest's ssh. */
  get sshPort(): number {
    return this.port;
  }

  /** Types at the serial console. */
  type(text: string): void {
    this.child?.stdin?.write(text);
  }

  consoleTail(): string {
    if (!existsSync(this.consoleLog)) return "";
    // Terminals act on what the guest tells its own: colours, titles, questions for the cursor.
    const plain = readFileSync(this.consoleLog, "utf8").replace(/[^\n\x20-\x7e]/g, "");
    return plain.slice(-2_000);
  }

  /** The power goes: nothing is flushed, nothing is told. */
  async cutPower(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    this.usedSeconds += processorSeconds(child.pid);
    child.kill("SIGKILL");
    await ended;
  }

  /** Restarts as an operator would; returns when commands can be run again. */
  async reboot(): Promise<void> {
    const before = await this.must("cat /proc/sys/kernel/random/boot_id");
    await this.run("systemctl reboot", 10_000);
    const deadlineMs = Date.now() + BOOT_DEADLINE_MS;
    for (;;) {
      const now = await this.run("cat /proc/sys/kernel/random/boot_id", 30_000);
      if (now.code === 0 && now.stdout.trim() !== before) return;
      if (Date.now() > deadlineMs) throw new Error(`no reboot: ${this.consoleTail()}`);
      await pause(1_000);
    }
  }

  /** Ends it for good, and says what it has cost the host. */
  async stop(): Promise<void> {
    await this.cutPower();
    const used = Math.round(this.usedSeconds);
    this.options.say?.(`${this.options.image} has used ${used} s of the processor`);
  }
}

/** User and system time of a process and its threads, seconds; 0 when it is gone. Source: proc(5). */
function processorSeconds(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

/** A machine on a fresh disk, up and reachable. */
export async function bootVirtualMachine(options: MachineOptions): Promise<VirtualMachine> {
  const machine = new VirtualMachine(options);
  try {
    await machine.boot();
  } catch (error) {
    await machine.stop();
    throw error;
  }
  return machine;
}

function execute(
  program: string,
  args: readonly string[],
  deadlineMs: number,
): Promise<CommandEnd> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (bytes: Buffer) => {
      stdout += bytes.toString("utf8");
    });
    child.stderr.on("data", (bytes: Buffer) => {
      stderr += bytes.toString("utf8");
    });
    const limit = setTimeout(() => child.kill("SIGKILL"), deadlineMs);
    const settle = (code: number | null): void => {
      clearTimeout(limit);
      // The connection that ssh shares in the background keeps the pipes open.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code: code ?? 255, stdout, stderr });
    };
    child.once("error", () => settle(255));
    child.once("exit", (code) => setTimeout(() => settle(code), 20));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
