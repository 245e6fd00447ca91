/**
 * Which engine's rules a policy was written for, for they differ in what the same rule means. `v4`: Wazuh 4
 * (checks have a `title`); `v5`: Wazuh 5 (checks have a `name`).
 */
export type ScaDialect = "v4" | "v5";

/** The language of regular expressions. */
export type ScaRegexType = "os_regex" | "pcre2";

/** One part of what a line must be, joined with others by `&&`. */
export type ScaTerm = { readonly isNegated: boolean } & (
  | { readonly kind: "regex"; readonly pattern: string }
  | {
      readonly kind: "number";
      /** Its first parentheses take the number. */
      readonly pattern: string;
      readonly operator: "<" | "<=" | "==" | "!=" | ">=" | ">";
      readonly value: number;
    }
  /** The whole line. */
  | { readonly kind: "literal"; readonly text: string }
);

/** One rule: what is looked at, and what it must hold. Without `terms` it must only be there. */
export type ScaRule = { readonly isNegated: boolean; readonly terms?: readonly ScaTerm[] } & (
  | { readonly kind: "file"; readonly paths: readonly string[] }
  | {
      readonly kind: "folder";
      readonly paths: readonly string[];
      /** What the name of a file must be; absent: the folder itself is meant. */
      readonly names?: readonly ScaTerm[];
    }
  | { readonly kind: "process"; readonly name: string }
  /** Never run: its output is worked out from files. */
  | { readonly kind: "command"; readonly command: string }
  /** Not understood; `reason` says why. */
  | { readonly kind: "unknown"; readonly text: string; readonly reason: string }
);

export interface ScaCheck {
  readonly id: string;
  readonly title: string;
  readonly remediation?: string;
  readonly condition: "all" | "any" | "none";
  readonly dialect: ScaDialect;
  readonly regexType: ScaRegexType;
  readonly rules: readonly ScaRule[];
}

/** A policy as compact JSON: only what is judged and shown. */
export interface ScaPolicy {
  readonly id: string;
  readonly name: string;
  /** What must hold for the policy to be about this device. */
  readonly requirements?: ScaCheck;
  readonly checks: readonly ScaCheck[];
}
