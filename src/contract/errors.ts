/**
 * Stable codes of the errors that are thrown: each means a bug or a broken environment, and its
 * message says what, where, and what to do. docs/errors.md lists them.
 */
export type AgentErrorCode =
  | "AGENT_USAGE"
  | "AGENT_CONFIG_INVALID"
  | "AGENT_CONFIG_UNREADABLE"
  | "AGENT_SECRET_UNREADABLE"
  | "AGENT_SECRET_EXPOSED"
  | "AGENT_IDENTITY_INVALID"
  | "AGENT_STATE_UNUSABLE"
  | "AGENT_STATE_LOCKED"
  | "AGENT_TWIN_INVALID"
  | "AGENT_PROVISIONING_FAILED"
  | "AGENT_HUB_FAILED"
  | "AGENT_AZURE_FAILED"
  | "AGENT_INTERNAL";

/** An error that a person must act on. `code` is stable; `remedy` says what to do next. */
export class AgentError extends Error {
  readonly code: AgentErrorCode;
  readonly remedy: string;

  constructor(
    code: AgentErrorCode,
    message: string,
    options: { readonly remedy: string; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AgentError";
    this.code = code;
    this.remedy = options.remedy;
  }
}

/** The text of anything that was thrown, for a log field or a problem: one line, at most 300 characters. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, " ").slice(0, 300);
}
