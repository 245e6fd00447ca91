import type { Clock } from "../contract/clock.ts";
import { AgentError } from "../contract/errors.ts";
import type { Random } from "../contract/random.ts";
import { parseJson } from "../parse/json.ts";
import type { HubClient, MethodAnswer, MethodCalls } from "./hub-model.ts";
import { identityName, METHOD_CALLS } from "./hub-topics.ts";

/** Source: IoT Hub documentation, "Understand direct methods": payload limit in both directions. */
const MAX_PAYLOAD_BYTES = 131_072;
const METHOD_NAME = /^[A-Za-z0-9\-:._*!(),=@;$']{1,128}$/;

interface Pending {
  readonly client: HubClient;
  readonly name: string;
  settle(outcome: MethodAnswer | AgentError): void;
}

export function createMethodCalls(clock: Clock, random: Random): MethodCalls {
  const pending = new Map<string, Pending>();
  return {
    async call(record, { name, payload, timeoutMs }) {
      const text = JSON.stringify(payload);
      if (!METHOD_NAME.test(name)) throw failed(`'${name.slice(0, 60)}' is no method name`);
      if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES) {
        throw failed(`the payload of method '${name}' is larger than 128 KB`);
      }
      const { client } = record;
      const who = identityName(record.identity);
      if (client === undefined) throw failed(`${who} is not connected (404103)`);
      const requestId = random.uuid();
      const answered = new Promise<MethodAnswer>((resolve, reject) => {
        const timer = clock.after(timeoutMs, () =>
          pending
            .get(requestId)
            ?.settle(failed(`${who} did not answer '${name}' within ${timeoutMs} ms (504101)`)),
        );
        pending.set(requestId, {
          client,
          name,
          settle(outcome) {
            pending.delete(requestId);
            timer.cancel();
            if (outcome instanceof AgentError) reject(outcome);
            else resolve(outcome);
          },
        });
      });
      if (!client.publish(METHOD_CALLS, `$iothub/methods/POST/${name}/?$rid=${requestId}`, text)) {
        pending.get(requestId)?.settle(failed(`${who} has not subscribed to methods`));
      }
      return answered;
    },
    answer(client, requestId, status, payload) {
      const call = pending.get(requestId);
      if (call?.client !== client) return;
      if (payload.length > MAX_PAYLOAD_BYTES) {
        call.settle(failed(`the answer to '${call.name}' is larger than 128 KB`));
        client.violate("a method answer of more than 128 KB");
        return;
      }
      const text = new TextDecoder().decode(payload);
      const parsed = parseJson(text.trim() === "" ? "null" : text, "method answer");
      if (parsed.ok) call.settle({ status, payload: parsed.value });
      else call.settle(failed(`the answer to '${call.name}' is no JSON: ${parsed.problem.detail}`));
    },
    abandon(client, why) {
      for (const call of [...pending.values()]) {
        if (client === undefined || call.client === client) {
          call.settle(failed(`no answer to '${call.name}': ${why}`));
        }
      }
    },
  };
}

function failed(message: string): AgentError {
  return new AgentError("AGENT_HUB_FAILED", message, {
    remedy: "look at the connections of the hub and at the client's log",
  });
}
