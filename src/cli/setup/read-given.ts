import { AgentError } from "../../contract/errors.ts";
import { readSmallText } from "../../system/files.ts";
import type { TextOption } from "./setup-options.ts";

const MAX_BYTES = 65_536;

/** Text of the file that an option names, or of standard input for `-`. Throws AGENT_SECRET_UNREADABLE. */
export async function readGiven(
  option: TextOption,
  reference: string,
  subject: string,
): Promise<string> {
  const text =
    reference === "-" ? await standardInput(subject) : fileText(option, reference, subject);
  if (text.trim() !== "") return text;
  const place = reference === "-" ? "standard input" : shownPath(reference);
  throw unreadable(`the ${subject} in ${place} is empty`, "Put it there, and nothing else.");
}

function fileText(option: TextOption, path: string, subject: string): string {
  const read = readSmallText(path, MAX_BYTES);
  if (read.ok) return read.value;
  const isLong = read.problem.code === "too-large";
  throw unreadable(
    `the ${subject} cannot be read from ${shownPath(path)}: ${read.problem.detail}`,
    isLong
      ? `Name a file that holds the ${subject} and nothing else.`
      : `Name a file that exists and can be read: --${option} FILE.`,
  );
}

async function standardInput(subject: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_BYTES) {
      throw unreadable(
        `the ${subject} on standard input is longer than 64 KiB`,
        "Give it, and nothing else.",
      );
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A secret is easily given where its file belongs: what looks like one is not repeated. */
function shownPath(path: string): string {
  const isPath = path.startsWith("/") || path.startsWith("./") || path.startsWith("../");
  const isShort = path.length < 40 && !path.includes("=");
  return (isPath && !path.includes(";")) || isShort ? path : "the given place (not repeated here)";
}

function unreadable(what: string, remedy: string): AgentError {
  return new AgentError("AGENT_SECRET_UNREADABLE", what, { remedy });
}
