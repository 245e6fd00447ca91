import { AgentError, type AgentErrorCode } from "../contract/errors.ts";

/** What the process says to its caller. Documented in docs/cli.md; never renumbered. */
export const EXIT = {
  ok: 0,
  /** Something unexpected failed; the message says what. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The configuration, the identity or a secret cannot be used. */
  configuration: 3,
  /** The state directory cannot be used, or another agent uses it. */
  state: 4,
  /** The command worked and found problems: `twin lint`, `doctor`, `baseline`, `scan`, `hub-posture`. */
  findings: 5,
  /** Ended by a second Ctrl-C before everything was flushed. */
  interrupted: 130,
} as const;

const BY_ERROR: Readonly<Record<AgentErrorCode, number>> = {
  AGENT_USAGE: EXIT.usage,
  AGENT_CONFIG_INVALID: EXIT.configuration,
  AGENT_CONFIG_UNREADABLE: EXIT.configuration,
  AGENT_SECRET_UNREADABLE: EXIT.configuration,
  AGENT_SECRET_EXPOSED: EXIT.configuration,
  AGENT_IDENTITY_INVALID: EXIT.configuration,
  AGENT_STATE_UNUSABLE: EXIT.state,
  AGENT_STATE_LOCKED: EXIT.state,
  AGENT_TWIN_INVALID: EXIT.findings,
  AGENT_PROVISIONING_FAILED: EXIT.failed,
  AGENT_HUB_FAILED: EXIT.failed,
  AGENT_AZURE_FAILED: EXIT.failed,
  AGENT_INTERNAL: EXIT.failed,
};

/** The exit code that belongs to whatever a command threw. */
export function exitCodeOf(error: unknown): number {
  return error instanceof AgentError ? BY_ERROR[error.code] : EXIT.failed;
}
