import type { EventDraft, PayloadItem } from "../contract/event.ts";
import type { SecretMask } from "../contract/secret-mask.ts";

/** Fields and details that hold what somebody typed. */
const TYPED = ["CommandLine", "Command"] as const;

/**
 * The draft without secrets. Collectors mask the arguments they see one by one, which is exact; this comes
 * after them and before anything is stored, for what has the form of a secret wherever it stands.
 */
export function redact(draft: EventDraft, mask: SecretMask): EventDraft {
  if (!draft.payload.some(hasTyped)) return draft;
  return { ...draft, payload: draft.payload.map((item) => redactItem(item, mask)) };
}

function hasTyped(item: PayloadItem): boolean {
  const details = item["ExtraDetails"];
  return TYPED.some(
    (name) => typeof item[name] === "string" || (typeof details === "object" && name in details),
  );
}

function redactItem(item: PayloadItem, mask: SecretMask): PayloadItem {
  const { ExtraDetails: details, ...fields } = item;
  const masked = maskFields(fields, mask);
  return typeof details === "object"
    ? { ...masked, ExtraDetails: maskFields(details, mask) }
    : masked;
}

function maskFields<T extends Readonly<Record<string, unknown>>>(fields: T, mask: SecretMask): T {
  const masked: Record<string, string> = {};
  for (const name of TYPED) {
    const text = fields[name];
    // Words first, for options that name a secret; then forms that blanks run through.
    if (typeof text === "string") masked[name] = mask.text(mask.commandLine(text.split(" ")));
  }
  return { ...fields, ...masked };
}
