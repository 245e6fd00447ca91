import type { Clock } from "../contract/clock.ts";
import { describeError } from "../contract/errors.ts";
import type { MethodCall, MethodReply } from "../contract/transport.ts";
import { parseJson } from "../parse/json.ts";
import { methodReplyTopic } from "./hub-topics.ts";

/** Source: IoT Hub documentation, "Understand and invoke direct methods": payloads up to 128 KB. */
const MOST_PAYLOAD_BYTES = 131_072;
/** Calls answered at a time; a hub that sends more is told to wait. */
const MOST_CALLS = 8;

export interface MethodParts {
  readonly clock: Clock;
  readonly deadlineMs: number;
  onMethod(call: MethodCall): Promise<MethodReply>;
  publish(topic: string, payload: string): Promise<unknown>;
}

/** Answers direct methods: parses within bounds, keeps the deadline, always replies once. */
export class MethodServer {
  private readonly parts: MethodParts;
  private underWay = 0;

  constructor(parts: MethodParts) {
    this.parts = parts;
  }

  /** A message on the method topic. Resolves when the reply is written; never rejects. */
  async onCall(name: string, requestId: string, payload: Uint8Array): Promise<void> {
    const reply = await this.answer(name, payload);
    const status = Number.isInteger(reply.status) ? reply.status : 500;
    await this.parts.publish(methodReplyTopic(status, requestId), JSON.stringify(reply.payload));
  }

  /** The reply to one call, whatever the payload and the handler do. */
  async answer(name: string, payload: Uint8Array): Promise<MethodReply> {
    if (this.underWay >= MOST_CALLS) return refusal(429, "too many calls at a time");
    if (payload.length > MOST_PAYLOAD_BYTES) return refusal(400, "the payload is over 128 KB");
    const text = new TextDecoder().decode(payload);
    const parsed = parseJson(text.trim() === "" ? "null" : text, "method payload", {
      maxLength: MOST_PAYLOAD_BYTES,
    });
    if (!parsed.ok) return refusal(400, parsed.problem.detail);
    this.underWay += 1;
    try {
      return await this.withinDeadline(this.parts.onMethod({ name, payload: parsed.value }));
    } catch (error) {
      return refusal(500, describeError(error));
    } finally {
      this.underWay -= 1;
    }
  }

  private withinDeadline(work: Promise<MethodReply>): Promise<MethodReply> {
    return new Promise((resolve, reject) => {
      const timer = this.parts.clock.after(this.parts.deadlineMs, () =>
        resolve(refusal(504, "no answer within the deadline")),
      );
      work.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}

function refusal(status: number, error: string): MethodReply {
  return { status, payload: { error } };
}
