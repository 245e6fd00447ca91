import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import type { JsonObject } from "../contract/json.ts";
import { checkToken } from "./access-token.ts";
import { clientCertificate } from "./authentication.ts";
import type { HubCore, IdentityRecord } from "./hub-model.ts";
import { decoded, decodePairs } from "./property-bag.ts";

const MODULE_PATH = /^\/devices\/([^/?]+)\/modules\/([^/?]+)(?:\?(.*))?$/;

/**
 * Answers the one registry request the agent makes: a device asks for the key of its own module.
 * Source: IoT Hub REST, Modules: Get Identity.
 */
export function answerRegistry(
  core: HubCore,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  request.resume();
  const [, device = "", module = "", query = ""] = MODULE_PATH.exec(request.url ?? "") ?? [];
  const [deviceId, moduleId] = [decoded(device) ?? "", decoded(module) ?? ""];
  const pairs = decodePairs(query);
  const version = new Map(pairs.ok ? pairs.value : []).get("api-version");
  if (deviceId === "" || moduleId === "") {
    answer(response, 404, { Message: "ErrorCode:NotFound" });
  } else if (request.method !== "GET") {
    answer(response, 405, { Message: "ErrorCode:MethodNotAllowed" });
  } else if (version === undefined || version === "") {
    answer(response, 400, { Message: "ErrorCode:InvalidProtocolVersion" });
  } else {
    const why = accessFault(core, deviceId, request);
    const record = core.find({ deviceId, moduleId });
    if (why !== undefined) {
      core.tellViolation({ identity: { deviceId }, what: `registry request refused: ${why}` });
      answer(response, 401, { Message: "ErrorCode:IotHubUnauthorizedAccess" });
    } else if (record === undefined) {
      answer(response, 404, { Message: `ErrorCode:ModuleNotFound;${moduleId.slice(0, 128)}` });
    } else answer(response, 200, moduleBody(record));
  }
}

/** Why this request may not read the device's modules: it needs the device's token or certificate. */
function accessFault(
  core: HubCore,
  deviceId: string,
  request: IncomingMessage,
): string | undefined {
  const device = core.find({ deviceId });
  if (device === undefined) return `no device '${deviceId.slice(0, 128)}'`;
  const { authorization = "" } = request.headers;
  if (authorization === "" && request.socket instanceof TLSSocket) {
    const certificate = clientCertificate(core, request.socket);
    if (certificate?.isTrusted === true && certificate.commonName === deviceId) return undefined;
    return "neither a token nor a certificate of the device";
  }
  const verdict = checkToken(authorization, {
    hostNames: core.traits.hostNames,
    resourcePath: `devices/${deviceId}`,
    keyBase64: device.key,
    nowMs: core.clock.nowMs(),
  });
  return verdict.ok ? undefined : verdict.why;
}

function moduleBody({ identity, key, client }: IdentityRecord): JsonObject {
  const { deviceId, moduleId = "" } = identity;
  return {
    moduleId,
    deviceId,
    managedBy: "",
    connectionState: client === undefined ? "Disconnected" : "Connected",
    authentication: { type: "sas", symmetricKey: { primaryKey: key, secondaryKey: key } },
  };
}

function answer(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(body));
}
