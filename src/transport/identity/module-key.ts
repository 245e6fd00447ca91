import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import { isJsonObject } from "../../contract/json.ts";
import { parseJsonObject } from "../../parse/json.ts";
import { aborting, deadline } from "../deadline.ts";
import { dial } from "../dial.ts";
import { authorityOf, type DialTarget } from "../dial-target.ts";
import { FaultError, fault, faultOfDialError } from "../fault.ts";
import { faultContext } from "../reach.ts";
import type { HubAssignment, Timing, TransportDeps } from "../transport-options.ts";
import { isBase64Key, signSas } from "./sas.ts";

/** Source: IoT Hub device REST reference, "Get module" by the device that owns it. */
const API_VERSION = "2020-09-30";
const MOST_ANSWER_BYTES = 65_536;
const TOKEN_LIFE_SECONDS = 300;

export interface ModuleKeyRequest {
  /** The hub's HTTPS address. */
  readonly target: DialTarget;
  readonly assignment: HubAssignment;
  readonly moduleId: string;
  readonly deviceKeyBase64: string;
}

/**
 * Asks the hub for the module's own symmetric key, as its device. Returns it in base64. Rejects with
 * FaultError `provisioning` when there is no such module or it has no key.
 */
export async function fetchModuleKey(
  what: ModuleKeyRequest,
  deps: TransportDeps,
  timing: Timing,
  stop: AbortSignal,
): Promise<string> {
  const limit = deadline(deps.clock, timing.connectDeadlineMs, stop);
  const { deviceId } = what.assignment;
  try {
    const stream = await dial(what.target, limit.signal);
    const authorization = signSas({
      resource: `${what.target.host}/devices/${deviceId}`,
      keyBase64: what.deviceKeyBase64,
      expirySeconds: Math.ceil(deps.clock.nowMs() / 1_000) + TOKEN_LIFE_SECONDS,
    });
    const device = encodeURIComponent(deviceId);
    const module = encodeURIComponent(what.moduleId);
    const path = `/devices/${device}/modules/${module}?api-version=${API_VERSION}`;
    const host = authorityOf(what.target);
    const answer = await aborting(limit.signal, get(stream, path, { host, authorization })).finally(
      () => stream.destroy(),
    );
    return keyIn(answer, what.moduleId);
  } catch (error) {
    throw new FaultError(faultOfDialError(error, faultContext(what.target, deps)));
  } finally {
    limit.cancel();
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** HTTP/1.1 over the stream, which is already secured; one request, then it is closed. */
function get(
  stream: Duplex,
  path: string,
  headers: { readonly host: string; readonly authorization: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { createConnection: () => stream, path, headers: { ...headers, connection: "close" } },
      (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MOST_ANSWER_BYTES) response.destroy(new Error("the answer is too long"));
          else chunks.push(chunk);
        });
        response.on("error", reject);
        response.on("end", () => {
          const body = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, body });
        });
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

/** The primary key in the hub's answer. Exported for tests. */
export function keyIn(answer: Answer, moduleId: string): string {
  if (answer.status === 404) {
    const remedy = `create the module ${moduleId} under this device at the hub`;
    throw new FaultError(fault("provisioning", `no module ${moduleId} (404)`, remedy));
  }
  if (answer.status === 401 || answer.status === 403) {
    const remedy = "check that the device is enabled and may use SAS; the clock may be wrong";
    const detail = `the hub refused to give the module's key (${answer.status})`;
    throw new FaultError(fault("provisioning", detail, remedy));
  }
  const body = parseJsonObject(answer.body, "module identity");
  const authentication = body.ok ? body.value["authentication"] : undefined;
  const keys = isJsonObject(authentication) ? authentication["symmetricKey"] : undefined;
  const key = isJsonObject(keys) ? keys["primaryKey"] : undefined;
  if (answer.status === 200 && typeof key === "string" && isBase64Key(key)) return key;
  const remedy = "the module must authenticate by symmetric key; or use X.509 for both";
  const detail = `the hub gave no key of module ${moduleId} (${answer.status})`;
  throw new FaultError(fault("provisioning", detail, remedy));
}
