import { AgentError } from "../../contract/errors.ts";
import type { CertificatePair } from "./client-certificate.ts";
import type { GivenIdentity } from "./identity-draft.ts";
import type { Prompter } from "./prompter.ts";
import type { SetupOptions, TextOption } from "./setup-options.ts";

/** Reads what an option names: a file, or standard input for `-`. Throws AgentError. */
export type ReadGiven = (
  option: TextOption,
  reference: string,
  subject: string,
) => Promise<string> | string;

type Kind = GivenIdentity["kind"];

const KINDS: readonly Kind[] = ["connection-string", "x509", "provisioning"];
const DEFAULT_MODULE = "azureiotsecurity";

const OPTIONS_OF: Readonly<Record<Kind, readonly TextOption[]>> = {
  "connection-string": ["connection-string-file"],
  x509: ["host", "device"],
  provisioning: [
    "dps-scope",
    "registration-id",
    "dps-key-file",
    "dps-group-key-file",
    "dps-endpoint",
  ],
};

/** Takes the identity from the options and asks for what they leave out. Throws AGENT_USAGE. */
export async function collectIdentity(
  options: SetupOptions,
  prompter: Prompter,
  read: ReadGiven,
): Promise<GivenIdentity> {
  const kind = kindOf(options) ?? (await askKind(prompter));
  const desk = { options, prompter, read };
  if (kind === "connection-string") return connectionString(desk);
  return kind === "x509" ? certificateIdentity(desk) : provisioning(desk);
}

interface Desk {
  readonly options: SetupOptions;
  readonly prompter: Prompter;
  readonly read: ReadGiven;
}

/** The kind that the options speak of; undefined when they speak of none. */
export function kindOf({ given }: SetupOptions): Kind | undefined {
  const spoken = KINDS.filter((kind) => OPTIONS_OF[kind].some((name) => given[name] !== undefined));
  const [first, second] = spoken;
  if (first !== undefined && second !== undefined) {
    const names = spoken.map((kind) => OPTIONS_OF[kind].find((name) => given[name] !== undefined));
    throw usage(
      `--${names.join(" and --")} belong to different kinds of identity`,
      "Keep the options of one.",
    );
  }
  if (first === "connection-string" && given.module !== undefined) {
    throw usage(
      "--module is given, but a connection string names its own module",
      "Leave --module out, and give the connection string of that module.",
    );
  }
  if (first === "provisioning" && given["gateway-host"] !== undefined) {
    throw usage(
      "--gateway-host does not go with provisioning, which names the hub itself",
      "Leave it out, or give the identity by connection string or certificate.",
    );
  }
  if (first === undefined && (given.certificate ?? given.key ?? given.module) !== undefined) {
    return "x509";
  }
  return first;
}

async function askKind(prompter: Prompter): Promise<Kind> {
  if (!prompter.isInteractive) {
    throw usage(
      "no identity is given, and nobody can be asked: standard input is no terminal",
      "Give --connection-string-file FILE, or --host and --device with --certificate and --key, or " +
        "--dps-scope and --registration-id with --dps-key-file.",
    );
  }
  const place = await prompter.choose("How does this gateway prove who it is?", [
    "connection string of its module at the hub",
    "client certificate (X.509)",
    "Device Provisioning Service (DPS)",
  ]);
  return KINDS[place] ?? "connection-string";
}

async function connectionString(desk: Desk): Promise<GivenIdentity> {
  const { given } = desk.options;
  const text = await secretOf(
    desk,
    "connection-string-file",
    "Connection string, or the path of a file with it (not shown while you type or paste)",
    "connection string",
  );
  const needsCertificate = /(?:^|;)\s*x509\s*=\s*true/i.test(text);
  const isGiven = given.certificate !== undefined || given.key !== undefined;
  return {
    kind: "connection-string",
    text,
    certificate: needsCertificate || isGiven ? await certificatePair(desk) : undefined,
    gatewayHost: given["gateway-host"],
  };
}

async function certificateIdentity(desk: Desk): Promise<GivenIdentity> {
  return {
    kind: "x509",
    hostName: await textOf(desk, "host", "Host name of the hub (NAME.azure-devices.net)"),
    deviceId: await textOf(desk, "device", "Device id"),
    moduleId: await moduleOf(desk),
    certificate: await certificatePair(desk),
    gatewayHost: desk.options.given["gateway-host"],
  };
}

async function provisioning(desk: Desk): Promise<GivenIdentity> {
  const { given } = desk.options;
  const idScope = await textOf(desk, "dps-scope", "ID scope (0ne…)");
  const registrationId = await textOf(desk, "registration-id", "Registration id");
  const moduleId = await moduleOf(desk);
  return {
    kind: "provisioning",
    idScope,
    registrationId,
    moduleId,
    endpoint: given["dps-endpoint"],
    proof: await proofOf(desk),
  };
}

async function proofOf(
  desk: Desk,
): Promise<Extract<GivenIdentity, { kind: "provisioning" }>["proof"]> {
  const { given } = desk.options;
  const proofs = (["dps-key-file", "dps-group-key-file", "certificate"] as const).filter(
    (name) => given[name] !== undefined || (name === "certificate" && given.key !== undefined),
  );
  if (proofs.length > 1) {
    throw usage(`--${proofs.join(" and --")} are two proofs of identity`, "Keep one of them.");
  }
  let proof = proofs[0];
  if (proof === undefined) {
    if (!desk.prompter.isInteractive) {
      throw usage(
        "no proof for the provisioning service",
        "Give --dps-key-file FILE, --dps-group-key-file FILE, or --certificate and --key.",
      );
    }
    const place = await desk.prompter.choose("What does the enrolment ask for?", [
      "the device's own key (individual enrolment, symmetric key)",
      "a client certificate",
      "the key of the enrolment group",
    ]);
    proof =
      (["dps-key-file", "certificate", "dps-group-key-file"] as const)[place] ?? "certificate";
  }
  if (proof === "certificate") {
    return { kind: "x509", certificate: await certificatePair(desk) };
  }
  const question = "Key, or the path of a file with it (not shown)";
  const key = await secretOf(desk, proof, question, "provisioning key");
  return { kind: proof === "dps-key-file" ? "symmetric-key" : "group-key", key };
}

async function certificatePair(desk: Desk): Promise<CertificatePair> {
  const certificate = await textOf(desk, "certificate", "PEM file with the certificate");
  const certificatePem = await desk.read("certificate", certificate, "certificate");
  const key = await textOf(desk, "key", "PEM file with its private key");
  return { certificatePem, keyPem: await desk.read("key", key, "private key") };
}

/** Absent means the device itself where nobody can be asked: a name that was not given is no guess. */
async function moduleOf({ options, prompter }: Desk): Promise<string | undefined> {
  const { given } = options;
  if (given.module !== undefined || !prompter.isInteractive) return given.module;
  const answer = await prompter.line("Module, or - for the device itself", DEFAULT_MODULE);
  return answer === "-" ? undefined : answer;
}

async function textOf(desk: Desk, option: TextOption, question: string): Promise<string> {
  const { options, prompter } = desk;
  const text = options.given[option];
  if (text !== undefined) return text;
  if (prompter.isInteractive) return prompter.line(question);
  throw usage(`--${option} is missing`, `Give it: ${question}.`);
}

/** A secret from the file that an option names, or typed in; a path that is typed in is read. */
async function secretOf(
  desk: Desk,
  option: TextOption,
  question: string,
  subject: string,
): Promise<string> {
  const { options, prompter, read } = desk;
  const reference = options.given[option];
  if (reference !== undefined) return read(option, reference, subject);
  if (!prompter.isInteractive) throw usage(`--${option} is missing`, `Give the ${subject}.`);
  const answer = await prompter.secret(question);
  return isPath(answer) ? read(option, answer, subject) : answer;
}

/** A key in base64 may begin with a slash as well. */
function isPath(answer: string): boolean {
  const isKey = /^[A-Za-z0-9+/]{40,}={0,2}$/.test(answer);
  return /^\.{0,2}\//.test(answer) && !answer.includes(";") && !isKey;
}

function usage(message: string, remedy: string): AgentError {
  return new AgentError("AGENT_USAGE", message, { remedy });
}
