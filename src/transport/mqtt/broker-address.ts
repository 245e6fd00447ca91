import type { MessageKind } from "../../contract/message.ts";
import { fail, ok, type Result } from "../../contract/result.ts";
import { parseAuthority } from "../dial-target.ts";
import type { BrokerOptions } from "../transport-options.ts";

export interface BrokerUrl {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly webSocketPath: string | undefined;
}

/** Ports by scheme. Source: IANA service names `mqtt` and `secure-mqtt`. */
const PORTS: Readonly<Record<string, number>> = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 };
const DEFAULT_TOPIC = "{deviceId}/{agentId}/{kind}";

/** Reads a broker's URL. User and password do not belong there, and are not quoted. */
export function parseBrokerUrl(text: string): Result<BrokerUrl> {
  const match = /^(mqtts?|wss?):\/\/([^/@]+)(\/[\x21-\x7e]*)?$/.exec(text);
  const scheme = match?.[1] ?? "";
  const authority = parseAuthority(match?.[2] ?? "", "url");
  const defaultPort = PORTS[scheme];
  if (defaultPort === undefined || !authority.ok) {
    return fail("malformed", "url", "not mqtts://host:port, mqtt://, wss:// or ws://");
  }
  const path = match?.[3];
  const isWebSocket = scheme.startsWith("ws");
  if (!isWebSocket && path !== undefined && path !== "/") {
    return fail("malformed", "url", "a path is for wss:// and ws:// only");
  }
  return ok({
    host: authority.value.host,
    port: authority.value.port ?? defaultPort,
    isTls: scheme.endsWith("s") && scheme !== "ws",
    webSocketPath: isWebSocket ? (path ?? "/mqtt") : undefined,
  });
}

/**
 * The topic of a kind of message. Placeholders are replaced by ids with nothing in them that has a
 * meaning in topics. Problem `malformed` for wildcards, control characters or unknown placeholders.
 */
export function topicOf(
  options: Pick<BrokerOptions, "topic" | "deviceId" | "agentId">,
  kind: MessageKind,
): Result<string> {
  const values = new Map<string, string>([
    ["deviceId", options.deviceId],
    ["agentId", options.agentId],
    ["kind", kind],
  ]);
  for (const [name, value] of values) {
    if (!/^[A-Za-z0-9._:@-]{1,128}$/.test(value)) {
      return fail("malformed", name, "only letters, digits and . _ : @ - may stand in a topic");
    }
  }
  const template = options.topic ?? DEFAULT_TOPIC;
  const topic = template.replace(/\{(\w+)\}/g, (whole, name: string) => values.get(name) ?? whole);
  if (!/^[\x20-\x22\x24-\x2a\x2c-\x7a]{1,1024}$/.test(topic)) {
    return fail("malformed", "topic", "wildcards, unknown placeholders or characters beyond ASCII");
  }
  return ok(topic);
}
