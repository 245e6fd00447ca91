/** Security messages hold schema 1.0 events only; extension messages hold everything else. */
export type MessageKind = "security" | "extension";

/** One message as every transport sends it. */
export interface OutgoingMessage {
  /** Lower-case UUID; the same on every attempt, so that a duplicate is visible. */
  readonly messageId: string;
  readonly kind: MessageKind;
  /** UTF-8 JSON. */
  readonly body: Uint8Array;
  /** Always `application/json` and `utf-8`: hub routes can then query the body. */
  readonly contentType: string;
  readonly contentEncoding: string;
  /** Application properties, ASCII names and values. */
  readonly properties: Readonly<Record<string, string>>;
  /** What the hub meters: body plus system property values plus application property names and values. */
  readonly meteredBytes: number;
}
