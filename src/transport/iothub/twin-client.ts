import type { Timer } from "../../contract/clock.ts";
import type { JsonObject } from "../../contract/json.ts";
import type { ReportOutcome } from "../../contract/transport.ts";
import { reportTopic, twinGetTopic } from "../hub-topics.ts";
import type { PublishOutcome } from "../mqtt-session.ts";
import { parsePatch, parseTwin } from "../twin-document.ts";
import { type FollowerParts, TwinFollower, type TwinRead } from "../twin-follower.ts";

export interface TwinClientParts extends Omit<FollowerParts, "get"> {
  publish(topic: string, payload: string): Promise<PublishOutcome>;
}

interface Reply {
  readonly status: number;
  readonly version: number | undefined;
  readonly body: string;
}

/** What a status code of the hub means for a reported patch. Exported for tests. */
export function reportOutcome(status: number, version: number | undefined): ReportOutcome {
  if (status === 200 || status === 204) {
    return { status: "confirmed", ...(version === undefined ? {} : { version }) };
  }
  const reason = `the hub answered ${status} to reported properties`;
  const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return { status: isFinal ? "refused" : "retry", reason };
}

/** The twin over one connection's topics: requests are matched to answers by `$rid`. */
export class TwinClient {
  private readonly parts: TwinClientParts;
  private readonly follower: TwinFollower;
  private readonly requests = new Map<string, (reply: Reply | undefined) => void>();

  constructor(parts: TwinClientParts) {
    this.parts = parts;
    this.follower = new TwinFollower({ ...parts, get: () => this.get() });
  }

  /** Reads the twin and follows it from then on. Never rejects. */
  read(): Promise<void> {
    return this.follower.read();
  }

  /** Sends a reported patch and waits for the hub's verdict. */
  async report(patch: JsonObject): Promise<ReportOutcome> {
    const reply = await this.request(reportTopic, JSON.stringify(patch));
    if (reply === undefined) return { status: "retry", reason: "the hub did not answer" };
    return reportOutcome(reply.status, reply.version);
  }

  /** A message on the twin response topic. */
  onResponse(requestId: string, reply: Reply): void {
    // An answer to an earlier connection's request finds nobody waiting: ordinary after a reconnect.
    this.requests.get(requestId)?.(reply);
  }

  /** A message on the desired topic. */
  onPatch(topicVersion: number | undefined, text: string): void {
    this.follower.onPatch(parsePatch(text, topicVersion));
  }

  /** The connection is over: whatever waits is told so. */
  close(): void {
    this.follower.close();
    for (const settle of [...this.requests.values()]) settle(undefined);
  }

  private async get(): Promise<TwinRead> {
    const reply = await this.request(twinGetTopic, " ");
    if (reply === undefined) return { kind: "silent" };
    if (reply.status !== 200) {
      return { kind: "failed", what: `the hub answered ${reply.status} to a twin read` };
    }
    const twin = parseTwin(reply.body);
    if (twin.ok) return { kind: "twin", twin: twin.value };
    return { kind: "failed", what: `${twin.problem.subject}: ${twin.problem.detail}` };
  }

  private request(
    topicOf: (requestId: string) => string,
    payload: string,
  ): Promise<Reply | undefined> {
    if (this.follower.isClosed) return Promise.resolve(undefined);
    const requestId = this.parts.random.uuid();
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const settle = (reply: Reply | undefined): void => {
        timer?.cancel();
        this.requests.delete(requestId);
        resolve(reply);
      };
      this.requests.set(requestId, settle);
      timer = this.parts.clock.after(this.parts.timing.twinDeadlineMs, () => settle(undefined));
      this.parts.publish(topicOf(requestId), payload).then(
        (outcome) => {
          if (outcome.status !== "done") settle(undefined);
        },
        () => settle(undefined),
      );
    });
  }
}
