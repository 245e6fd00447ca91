/**
 * A namespace of event hubs on loopback, for the real `@azure/event-hubs` client: `$cbs` put-token,
 * `$management` READ, and receivers per partition with start position, owner level and credit. What it
 * says and refuses follows the service as far as it is documented; it keeps nothing on disk.
 *
 * Source: "AMQP 1.0 in Azure Event Hubs protocol guide", AMQP Claims-based Security draft.
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import rhea, {
  type Connection,
  type EventContext,
  type Message,
  type Receiver,
  type Sender,
} from "rhea";
import { isValidToken } from "./access-token.ts";
import { PartitionLog, type StoredEvent } from "./partition-log.ts";
import { PartitionReaders } from "./partition-readers.ts";

export interface HubForm {
  readonly name: string;
  readonly partitions: number;
  /** Besides `$Default`. */
  readonly consumerGroups?: readonly string[];
}

export interface ServerForm {
  readonly hubs: readonly HubForm[];
  /** Name and key of the shared access policy that may listen. */
  readonly policy: string;
  readonly key: string;
  /** 0 or absent: any free port. */
  readonly port?: number;
}

export interface EventHubServer {
  readonly port: number;
  /** Appends to a partition; readers that wait are served at once. */
  append(hub: string, partition: number, events: readonly StoredEvent[]): void;
  /** Forgets events below a sequence number, as retention does. */
  trim(hub: string, partition: number, below: number): void;
  /** Who reads: `hub/group/partition` to the number of open receivers. */
  readers(): Readonly<Record<string, number>>;
  /** How many events were sent since the start; repeats count. */
  sentCount(): number;
  /** Takes all connections away without a word and refuses new ones until `resume`. */
  pause(): void;
  resume(): void;
  /** From now on no token is good. */
  refuseTokens(isRefused: boolean): void;
  /** Answers nothing and sends nothing, with the connections open: a network that swallows packets. */
  stall(isStalled: boolean): void;
  close(): Promise<void>;
}

interface Hub {
  readonly form: HubForm;
  readonly partitions: readonly PartitionLog[];
}

const READER = /^([^/]+)\/ConsumerGroups\/([^/]+)\/Partitions\/([^/]+)$/;

export async function startEventHubServer(form: ServerForm): Promise<EventHubServer> {
  const hubs = new Map<string, Hub>(
    form.hubs.map((hub) => [
      hub.name,
      {
        form: hub,
        partitions: Array.from({ length: hub.partitions }, (_, at) => new PartitionLog(String(at))),
      },
    ]),
  );
  const readers = new PartitionReaders();
  const state = { isPaused: false, isRefused: false };
  const audiences = new WeakMap<Connection, Set<string>>();
  const container = rhea.create_container({ id: "event-hubs", autosettle: true });
  container.sasl_server_mechanisms.enable_anonymous();
  const logOf = (hub: string, partition: string): PartitionLog | undefined =>
    hubs.get(hub)?.partitions[Number(partition)];

  function answer(connection: Connection, request: Message, status: number, body: unknown): void {
    let reply: Sender | undefined;
    connection.each_sender((sender: Sender) => {
      const source = sender.source as { address?: string } | undefined;
      const isReply = sender.name === request.reply_to;
      if (isReply && source?.address !== undefined) reply = sender;
    });
    reply?.send({
      correlation_id: request.message_id,
      body,
      application_properties: {
        "status-code": status,
        "status-description":
          status < 300 ? "OK" : "Unauthorized access. 'Listen' claim(s) are required.",
        ...(status === 401 ? { "error-condition": "amqp:unauthorized-access" } : {}),
        ...(status === 404 ? { "error-condition": "amqp:not-found" } : {}),
      },
    } as Message);
  }

  function putToken(connection: Connection, request: Message): void {
    const audience = String(request.application_properties?.["name"]);
    const token = String(request.body);
    const isGood = !state.isRefused && isValidToken(token, audience, form.key, Date.now());
    if (isGood) {
      const granted = audiences.get(connection) ?? new Set();
      audiences.set(connection, granted.add(pathOf(audience)));
    }
    answer(connection, request, isGood ? 202 : 401, undefined);
  }

  function manage(connection: Connection, request: Message): void {
    const properties = request.application_properties ?? {};
    const hub = hubs.get(String(properties["name"]));
    if (hub === undefined || properties["operation"] !== "READ") {
      answer(connection, request, 404, undefined);
    } else if (properties["type"] === "com.microsoft:eventhub") {
      answer(connection, request, 200, hubFacts(hub));
    } else {
      const log = hub.partitions[Number(properties["partition"])];
      if (log === undefined) answer(connection, request, 404, undefined);
      else answer(connection, request, 200, partitionFacts(hub, log));
    }
  }

  container.on("message", (context: EventContext) => {
    const { connection, message, receiver } = context;
    if (message === undefined) return;
    const target = receiver as unknown as { target?: { address?: string } };
    if (target.target?.address === "$cbs") putToken(connection, message);
    else manage(connection, message);
  });
  container.on("receiver_open", (context: EventContext) => {
    const link = context.receiver as Receiver & { remote: { attach: { target: never } } };
    link.set_target(link.remote.attach.target);
  });
  container.on("sender_open", (context: EventContext) => {
    const link = context.sender as Sender & Attached;
    const address = link.remote.attach.source?.address ?? "";
    link.set_source(link.remote.attach.source as never);
    link.set_target(link.remote.attach.target as never);
    const [, hubName = "", group = "", partition = ""] = READER.exec(address) ?? [];
    if (hubName === "") return;
    const log = logOf(hubName, partition);
    const groups = ["$Default", ...(hubs.get(hubName)?.form.consumerGroups ?? [])];
    const isGranted = [...(audiences.get(context.connection) ?? [])].some((granted) =>
      address.toLowerCase().startsWith(granted.toLowerCase()),
    );
    if (!isGranted) {
      link.close({ condition: "amqp:unauthorized-access", description: "no claim for the link" });
    } else if (log === undefined || !groups.some((g) => g.toLowerCase() === group.toLowerCase())) {
      link.close({ condition: "amqp:not-found", description: `no entity ${address}` });
    } else {
      readers.open({ key: `${hubName}/${group.toLowerCase()}/${partition}`, link, log });
    }
  });
  container.on("sendable", (context: EventContext) => {
    if (context.sender !== undefined) readers.pump(context.sender);
  });
  for (const event of ["sender_close", "sender_error"] as const) {
    container.on(event, (context: EventContext) => {
      if (context.sender !== undefined) readers.closed(context.sender);
    });
  }
  container.on("disconnected", (context: EventContext) => readers.gone(context.connection));
  for (const event of [
    "connection_error",
    "session_error",
    "receiver_error",
    "protocol_error",
    "error",
  ]) {
    container.on(event, () => undefined);
  }

  // A server of our own, so that connections can be cut and stalled below AMQP.
  const amqp = container.listen({ port: 0, host: "127.0.0.1" }) as Server;
  await listening(amqp);
  const sockets = new Set<Socket>();
  amqp.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const relay = await startRelay((amqp.address() as AddressInfo).port, form.port ?? 0, state);

  return {
    port: relay.port,
    append(hub, partition, events) {
      const log = logOf(hub, String(partition));
      if (log === undefined) throw new Error(`no partition ${hub}/${partition}`);
      log.append(events, Date.now());
    },
    trim: (hub, partition, below) => logOf(hub, String(partition))?.trimTo(below),
    readers: () => readers.counts(),
    sentCount: () => readers.sent,
    pause() {
      state.isPaused = true;
      relay.cut();
    },
    resume() {
      state.isPaused = false;
    },
    refuseTokens(isRefused) {
      state.isRefused = isRefused;
    },
    stall: (isStalled) => relay.stall(isStalled),
    async close() {
      relay.cut();
      for (const socket of sockets) socket.destroy();
      await Promise.all([relay.close(), new Promise((resolve) => amqp.close(resolve))]);
    },
  };
}

export interface Attached {
  readonly remote: {
    readonly attach: {
      readonly source?: {
        readonly address?: string;
        readonly filter?: Readonly<Record<string, unknown>>;
      };
      readonly target?: unknown;
      readonly properties?: Readonly<Record<string, unknown>>;
    };
  };
}

function pathOf(audience: string): string {
  return audience.replace(/^[a-z]+:\/\/[^/]*\//i, "").replace(/\/\$management$/, "");
}

function hubFacts(hub: Hub): Readonly<Record<string, unknown>> {
  return {
    name: hub.form.name,
    type: "com.microsoft:eventhub",
    created_at: new Date(0),
    partition_count: hub.partitions.length,
    partition_ids: hub.partitions.map((partition) => partition.id),
    georeplication_factor: 1,
  };
}

function partitionFacts(hub: Hub, log: PartitionLog): Readonly<Record<string, unknown>> {
  const { last } = log;
  return {
    name: hub.form.name,
    type: "com.microsoft:partition",
    partition: log.id,
    begin_sequence_number: log.firstSequenceNumber,
    last_enqueued_sequence_number: last?.sequenceNumber ?? -1,
    last_enqueued_offset: last?.offset ?? "-1",
    last_enqueued_time_utc: new Date(last?.enqueuedAtMs ?? 0),
    is_partition_empty: last === undefined,
  };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    if (server.listening) resolve();
    else server.once("listening", () => resolve());
  });
}

interface Relay {
  readonly port: number;
  cut(): void;
  stall(isStalled: boolean): void;
  close(): Promise<unknown>;
}

async function startRelay(
  to: number,
  port: number,
  state: { readonly isPaused: boolean },
): Promise<Relay> {
  const { connect } = await import("node:net");
  const pairs = new Set<readonly [Socket, Socket]>();
  const sockets = new Set<Socket>();
  let isStalled = false;
  const server = createServer((client) => {
    if (state.isPaused) {
      client.destroy();
      return;
    }
    const upstream = connect(to, "127.0.0.1");
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.setNoDelay(true);
      sockets.add(one);
      one.on("error", () => undefined);
      // An orderly end goes through the pipe, behind the last bytes.
      one.on("close", (hadError) => {
        if (hadError || isStalled) other.destroy();
        sockets.delete(one);
        pairs.delete(pair);
      });
      one.pipe(other);
    }
    if (isStalled) for (const socket of pair) socket.pause();
  });
  server.listen(port, "127.0.0.1");
  await listening(server);
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    stall(on) {
      isStalled = on;
      for (const [client, upstream] of pairs) {
        if (on) {
          client.unpipe(upstream);
          upstream.unpipe(client);
        } else {
          client.pipe(upstream);
          upstream.pipe(client);
        }
      }
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
