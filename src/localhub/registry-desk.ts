import type { IncomingMessage, ServerResponse } from "node:http";
import type { JsonObject } from "../contract/json.ts";
import { checkToken } from "./access-token.ts";
import type { HubCore } from "./hub-core.ts";

const MODULE_PATH = /^\/devices\/([^/?]+)\/modules\/([^/?]+)\?(.*)$/;

/**
 * Answers the one registry request the agent makes: a device asks for the key of its own module.
 * Source: IoT Hub REST, Modules: Get Identity.
 */
export function answerRegistry(
  core: HubCore,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const match = MODULE_PATH.exec(request.url ?? "");
  const [, deviceId = "", moduleId = "", query = ""] = match ?? [];
  if (request.method !== "GET" || match === null || !query.includes("api-version=")) {
    answer(response, 404, { Message: "ErrorCode:NotFound" });
    return;
  }
  const device = core.find({ deviceId });
  const verdict = checkToken(request.headers.authorization ?? "", {
    hostNames: core.hostNames,
    resourcePath: `devices/${deviceId}`,
    keyBase64: device?.key ?? "",
    nowMs: core.clock.nowMs(),
  });
  if (device === undefined || !verdict.ok) {
    answer(response, 401, { Message: "ErrorCode:IotHubUnauthorizedAccess" });
    return;
  }
  const module = core.find({ deviceId, moduleId });
  if (module === undefined) {
    answer(response, 404, { Message: "ErrorCode:ModuleNotFound" });
    return;
  }
  const symmetricKey = { primaryKey: module.key, secondaryKey: module.key };
  const authentication = { type: "sas", symmetricKey };
  answer(response, 200, { moduleId, deviceId, authentication });
}

function answer(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(body));
}
