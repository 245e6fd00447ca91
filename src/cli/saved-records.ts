import { AgentError } from "../contract/errors.ts";
import type { Problem } from "../contract/result.ts";
import type { RecordDesk, WantedKind } from "../fleet/record-desk.ts";
import { filesOfFolder, readTextInPieces } from "../system/text-of-file.ts";

/** A file, and what it is said to hold. */
export interface NamedFile {
  readonly path: string;
  readonly wanted?: WantedKind;
}

/** Files by option, folders, and files that say nothing of what they hold. */
export type FileChoice = Readonly<Record<WantedKind | "folders" | "files", readonly string[]>>;

const ENDINGS = [".json", ".jsonl", ".ndjson", ".txt", ".log"];
const MOST_FILES = 10_000;
/** 100,000 twins of 40 KB. */
const MOST_BYTES = 4 * 1_073_741_824;

/** Every file that was named, those of folders included. Throws AGENT_USAGE. */
export async function namedFiles(choice: FileChoice): Promise<readonly NamedFile[]> {
  const kinds = ["hub", "identity", "twin", "log"] as const;
  const named = kinds.flatMap((wanted) => choice[wanted].map((path) => ({ path, wanted })));
  const found: NamedFile[] = [];
  for (const folder of choice.folders) {
    const listed = await filesOfFolder(folder, ENDINGS, MOST_FILES);
    if (!listed.ok) throw unreadable(listed.problem);
    if (listed.value.length === 0) {
      throw new AgentError("AGENT_USAGE", `${folder}: no file to read`, {
        remedy: `It takes files that end in ${ENDINGS.join(", ")}.`,
      });
    }
    found.push(...listed.value.map((path) => ({ path })));
  }
  return [...named, ...found, ...choice.files.map((path) => ({ path }))];
}

/** Reads files one after the other, each in pieces. Throws AGENT_USAGE at the first that cannot be read. */
export async function readFiles(files: readonly NamedFile[], desk: RecordDesk): Promise<void> {
  for (const { path, wanted } of files) {
    const source = desk.open(path.split("/").at(-1) ?? path, wanted);
    const read = await readTextInPieces(path, MOST_BYTES, (piece) => source.text(piece));
    if (!read.ok) throw unreadable(read.problem);
    source.end();
  }
}

function unreadable({ subject, detail }: Problem): AgentError {
  return new AgentError("AGENT_USAGE", `${subject}: ${detail}`, {
    remedy: "Name a file that you can read.",
  });
}
