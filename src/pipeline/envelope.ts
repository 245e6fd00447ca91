import { EXTENSION_SCHEMA_VERSION } from "../contract/extension.ts";
import type { MessageKind, OutgoingMessage } from "../contract/message.ts";

/** What the same agent writes into every message. */
export interface EnvelopeFacts {
  readonly agentVersion: string;
  readonly agentId: string;
  /** Bytes of system property values that the transport adds, such as a security interface id. */
  readonly addedPropertyBytes?: number;
}

const CONTENT_TYPE = "application/json";
const CONTENT_ENCODING = "utf-8";
const MESSAGE_ID_BYTES = 36;
/** Version of the schema that the events of a kind conform to. */
const SCHEMA_VERSIONS: Readonly<Record<MessageKind, string>> = {
  security: "1.0",
  extension: EXTENSION_SCHEMA_VERSION,
};

/**
 * Builds messages of one kind from events that are already JSON text: nothing is parsed again. Sizes are
 * what the hub meters: body, system property values, application property names and values.
 * Source: IoT Hub message format and quotas.
 */
export interface Envelope {
  /** Metered bytes of a message that holds these events. */
  meteredBytes(eventBytes: number, events: number): number;
  /** Most bytes one event may have in a message of that size. */
  roomForOneEvent(maxMessageBytes: number): number;
  build(messageId: string, events: readonly string[]): OutgoingMessage;
}

export function createEnvelope(facts: EnvelopeFacts, kind: MessageKind = "security"): Envelope {
  const schema = SCHEMA_VERSIONS[kind];
  const properties: Readonly<Record<string, string>> = { kind, schema };
  const head =
    `{"AgentVersion":${JSON.stringify(facts.agentVersion)},` +
    `"AgentId":${JSON.stringify(facts.agentId)},"MessageSchemaVersion":"${schema}","Events":[`;
  const tail = "]}";
  const propertyBytes = Object.entries(properties).reduce(
    (sum, [name, value]) => sum + name.length + value.length,
    MESSAGE_ID_BYTES +
      CONTENT_TYPE.length +
      CONTENT_ENCODING.length +
      (kind === "security" ? (facts.addedPropertyBytes ?? 0) : 0),
  );
  const fixedBytes = Buffer.byteLength(head) + tail.length + propertyBytes;
  return {
    meteredBytes: (eventBytes, events) => fixedBytes + eventBytes + Math.max(0, events - 1),
    roomForOneEvent: (maxMessageBytes) => maxMessageBytes - fixedBytes,
    build(messageId, events) {
      const body = Buffer.from(`${head}${events.join(",")}${tail}`, "utf8");
      return {
        messageId,
        kind,
        body,
        contentType: CONTENT_TYPE,
        contentEncoding: CONTENT_ENCODING,
        properties,
        meteredBytes: body.length + propertyBytes,
      };
    },
  };
}
