import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { IConnectPacket } from "mqtt-packet";
import { type Admission, admit } from "./authentication.ts";
import type { ConnectionOwner, Knock } from "./connection.ts";
import { attachClient } from "./hub-client.ts";
import type { HubConnection, HubIdentity } from "./hub-contract.ts";
import type { HubCore } from "./hub-model.ts";
import { createMqttWire, type MqttWire } from "./mqtt-wire.ts";
import { openProvisioning } from "./provisioning-desk.ts";
import { parseUserName } from "./user-name.ts";

/** A client that never says who it is, is not waited for longer. */
const CONNECT_DEADLINE_MS = 30_000;

/** Return codes of CONNACK. Source: MQTT 3.1.1 section 3.2.2.3. */
const WRONG_VERSION = 1;
const NOT_AUTHORISED = 5;

/** Serves one MQTT connection, from CONNECT to its end. Returns its wire, so that it can be cut. */
export function serveConnection(
  core: HubCore,
  stream: Duplex,
  socket: TLSSocket,
  via: HubConnection["via"],
): MqttWire {
  let owner: ConnectionOwner | undefined;
  const deadline = core.clock.after(CONNECT_DEADLINE_MS, () => wire.close("no CONNECT in time"));
  const violate = (what: string): void => core.tellViolation({ identity: owner?.identity, what });

  const wire = createMqttWire(stream, {
    onPacket(packet) {
      if (owner !== undefined) {
        owner.onPacket(packet);
      } else if (packet.cmd === "connect") {
        deadline.cancel();
        owner = connect(core, { wire, socket, via }, packet);
      } else {
        violate("the first packet is no CONNECT");
        wire.close("the first packet is no CONNECT");
      }
    },
    onMalformed: violate,
    onClosed(why) {
      deadline.cancel();
      owner?.onClosed(why);
    },
  });
  return wire;
}

function connect(core: HubCore, knock: Knock, packet: IConnectPacket): ConnectionOwner | undefined {
  if (packet.protocolVersion !== 4 || packet.protocolId !== "MQTT") {
    refuse(core, knock.wire, undefined, "MQTT version is not 3.1.1", WRONG_VERSION);
    return undefined;
  }
  if (core.faults.isAuthenticationRejected) {
    refuse(core, knock.wire, undefined, "authentication is switched off");
    return undefined;
  }
  const user = parseUserName(packet.username ?? "");
  if (!user.ok) {
    refuse(core, knock.wire, undefined, `the user name ${user.problem.detail}`);
    return undefined;
  }
  if (user.value.kind === "provisioning") {
    const opened = openProvisioning(core, knock, user.value, packet);
    if (typeof opened !== "string") return opened;
    refuse(core, knock.wire, { deviceId: user.value.registrationId }, opened);
    return undefined;
  }
  const admission: Admission = admit(core, user.value, packet, knock.socket);
  if (admission.ok) return attachClient(core, knock, packet, admission);
  refuse(core, knock.wire, admission.identity, admission.why);
  return undefined;
}

function refuse(
  core: HubCore,
  wire: MqttWire,
  identity: HubIdentity | undefined,
  why: string,
  returnCode = NOT_AUTHORISED,
): void {
  core.tellViolation({ identity, what: `refused: ${why}` });
  wire.send({ cmd: "connack", returnCode, sessionPresent: false });
  wire.finish(why);
}
