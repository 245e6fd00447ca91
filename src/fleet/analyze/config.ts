import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import {
  boolean,
  choice,
  describeFault,
  type Fault,
  type Infer,
  integer,
  list,
  optional,
  record,
  type Schema,
  text,
} from "../../contract/schema.ts";

const CREDENTIAL = /^credential:[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/;
const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
/** Source: Event Hubs quotas and limits; naming rules for Azure resources. */
const ENTITY = /^[A-Za-z0-9$](?:[A-Za-z0-9._/-]{0,254}[A-Za-z0-9])?$/;
const HEADER = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/;

function folder(doc: string): Schema<string> {
  return text({
    doc,
    maxLength: 4_096,
    form: "an absolute path",
    accepts: (path) => path.startsWith("/") && !path.includes("\0"),
  });
}

function secretFile(doc: string): Schema<string | undefined> {
  return optional(
    text({
      doc,
      maxLength: 4_096,
      form: "an absolute path or credential:NAME",
      accepts: (path) => path.startsWith("/") || CREDENTIAL.test(path),
    }),
  );
}

function httpsUrl(doc: string): Schema<string> {
  return text({
    doc,
    maxLength: 2_048,
    form: "https://host[:port]/path, without user, password and fragment",
    accepts: isHttpsUrl,
  });
}

function isHttpsUrl(candidate: string): boolean {
  try {
    const { protocol, username, password, hash, hostname } = new URL(candidate);
    return protocol === "https:" && `${username}${password}${hash}` === "" && hostname !== "";
  } catch {
    // Node 18.20 has no URL.parse: a throw is how it says that this is no URL.
    return false;
  }
}

function eventHub(doc: string) {
  return record(
    {
      connectionStringFile: secretFile(
        "File with the connection string of a policy that may listen, readable by its owner only; wins over namespace",
      ),
      namespace: optional(
        text({
          doc: "Host name of the namespace, such as ns.servicebus.windows.net, for a sign-in with Entra ID",
          maxLength: 253,
          form: "a host name",
          accepts: (name) => HOST.test(name),
        }),
      ),
      eventHub: optional(
        text({
          doc: "Name of the event hub; absent: EntityPath of the connection string",
          maxLength: 256,
          form: "a name of letters, digits and ._-/",
          accepts: (name) => ENTITY.test(name),
        }),
      ),
      consumerGroup: text({
        doc: "Consumer group that nobody else uses",
        default: "gatewarden",
        maxLength: 256,
        form: "a name of letters, digits and ._-/, or $Default",
        accepts: (name) => ENTITY.test(name),
      }),
    },
    { doc },
  );
}

const webhook = record(
  {
    url: httpsUrl("Where alerts are posted"),
    secretFile: secretFile("File with the value of the header that proves who we are"),
    secretHeader: text({
      doc: "Name of that header",
      default: "Authorization",
      maxLength: 64,
      form: "the name of a header",
      accepts: (name) => HEADER.test(name),
    }),
    caFile: optional(folder("PEM file of authorities trusted besides the public ones")),
    timeoutSeconds: integer({
      doc: "Longest silence of the receiver",
      default: 15,
      min: 1,
      max: 300,
      unit: "seconds",
    }),
    maxAlerts: integer({ doc: "Alerts in one request", default: 100, min: 1, max: 1_000 }),
  },
  { doc: "HTTPS POST of alerts" },
);

const outputs = record(
  {
    jsonLines: optional(
      record(
        {
          folder: folder("Folder of one file per partition; instances on one machine share it"),
          maxMegabytes: integer({
            doc: "Size at which a file is put aside",
            default: 64,
            min: 1,
            max: 10_000,
            unit: "MB",
          }),
          maxFiles: integer({
            doc: "Files of a partition put aside and kept",
            default: 5,
            min: 1,
            max: 100,
          }),
        },
        { doc: "Alerts as JSON Lines" },
      ),
    ),
    standardOutput: boolean({ doc: "Alerts as JSON Lines to standard output", default: false }),
    webhook: optional(webhook),
    logsIngestion: optional(
      record(
        {
          endpoint: httpsUrl("Address of the data collection endpoint, or of the rule itself"),
          ruleId: text({
            doc: "Immutable id of the data collection rule",
            maxLength: 128,
            form: "an id such as dcr-0123456789abcdef0123456789abcdef",
            accepts: (id) => /^[A-Za-z0-9-]+$/.test(id),
          }),
          alertStream: text({
            doc: "Stream of the rule that takes alerts",
            default: "Custom-SecurityAlert_CL",
            maxLength: 128,
            form: "the name of a stream",
            accepts: (name) => /^[A-Za-z0-9_-]+$/.test(name),
          }),
        },
        { doc: "Rows of a Log Analytics table, by the Logs Ingestion API and Entra ID" },
      ),
    ),
  },
  { doc: "Where alerts go; at least one" },
);

const balancing = record(
  {
    strategy: choice(["greedy", "balanced"], {
      doc: "How an instance takes partitions: all that are due to it at once, or one per interval",
      default: "greedy",
    }),
    intervalSeconds: integer({
      doc: "Time between two looks at who reads what",
      default: 10,
      min: 1,
      max: 300,
      unit: "seconds",
    }),
    expirySeconds: integer({
      doc: "Silence after which an instance counts as dead; three intervals or more",
      default: 30,
      min: 2,
      max: 3_600,
      unit: "seconds",
    }),
  },
  { doc: "How instances share the partitions" },
);

/** The configuration of `gatewarden analyze`. */
export const ANALYZE_SCHEMA = record({
  hub: text({
    doc: "Name of the IoT hub, part of every alert's id: never changed while alerts matter",
    maxLength: 64,
    form: "the name of a hub: letters, digits and -",
    accepts: (name) => /^[A-Za-z0-9-]+$/.test(name),
  }),
  endpoint: optional(eventHub("Built-in endpoint of the hub, or an event hub that a route fills")),
  logs: optional(eventHub("Event hub that a diagnostic setting of the hub fills")),
  groupsFile: optional(folder("Exported deviceSecurityGroups, JSON; read again when it changes")),
  devicesFile: optional(
    folder(
      "List of devices with their security groups and protocols, JSON; read again when it changes",
    ),
  ),
  stateFolder: folder("Folder of checkpoints, ownership and refused alerts"),
  blobStore: optional(
    record(
      {
        containerUrl: httpsUrl("Container of checkpoints, for instances on several machines"),
        connectionStringFile: secretFile(
          "File with the connection string of the storage account; absent: Entra ID",
        ),
      },
      { doc: "Checkpoints in blob storage instead of the state folder" },
    ),
  ),
  start: choice(["earliest", "latest"], {
    doc: "Where a partition without a checkpoint is begun",
    default: "earliest",
  }),
  completeInputs: list(
    choice(["messages", "twin-changes", "logs", "feedback", "file-notices"], {
      doc: "A way that events take",
    }),
    {
      doc: "Of what every event of a device is sure to reach the same partition: only there is silence judged",
      default: ["messages"],
      maxItems: 5,
    },
  ),
  protocolProperty: optional(
    text({
      doc: "Enrichment with the protocol of the device, AMQP, HTTPS or MQTT; absent: none is looked for",
      maxLength: 64,
    }),
  ),
  groupProperty: text({
    doc: "Enrichment with the security group of the device",
    default: "SecurityGroup",
    maxLength: 64,
  }),
  twinUpdates: choice(["events", "logs"], {
    doc: "Which of the two that tell of twin updates counts",
    default: "events",
  }),
  queuePurges: choice(["feedback", "logs"], {
    doc: "Which of the two that tell of purged queues counts",
    default: "feedback",
  }),
  rememberHours: integer({
    doc: "How long a silent device is known",
    default: 24,
    min: 1,
    max: 168,
    unit: "hours",
  }),
  maxDevices: integer({
    doc: "Devices of one partition that are known at a time",
    default: 50_000,
    min: 1,
    max: 1_000_000,
  }),
  checkpointSeconds: integer({
    doc: "Shortest time between two checkpoints of a partition",
    default: 5,
    min: 1,
    max: 600,
    unit: "seconds",
  }),
  idleSeconds: integer({
    doc: "Silence of a partition after which its end is looked for, so that silence is judged",
    default: 10,
    min: 1,
    max: 60,
    unit: "seconds",
  }),
  patienceSeconds: integer({
    doc: "What a delivery may still take when the command is asked to stop",
    default: 10,
    min: 0,
    max: 80,
    unit: "seconds",
  }),
  statisticsSeconds: integer({
    doc: "Time between two lines of statistics; 0: none",
    default: 300,
    min: 0,
    max: 86_400,
    unit: "seconds",
  }),
  balancing,
  outputs,
});

export type AnalyzeConfig = Infer<typeof ANALYZE_SCHEMA>;
export type EventHubConfig = NonNullable<AnalyzeConfig["endpoint"]>;

/** JSON Schema (draft 2020-12) of the configuration file of `gatewarden analyze`. */
export function analyzeJsonSchema(): JsonObject {
  const schema = ANALYZE_SCHEMA.jsonSchema();
  const properties = schema["properties"];
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of gatewarden analyze",
    ...schema,
    properties: {
      $schema: { type: "string", description: "Where editors find this schema" },
      ...(isJsonObject(properties) ? properties : {}),
    },
  };
}

/** The configuration, and everything wrong with it in words: one fault is enough not to run. */
export function readAnalyzeConfig(json: JsonValue): {
  readonly config: AnalyzeConfig;
  readonly faults: readonly string[];
} {
  const faults: Fault[] = [];
  const config = ANALYZE_SCHEMA.read(json, faults);
  const { endpoint, logs, outputs: chosen, balancing: shares } = config;
  const words = faults.map(describeFault);
  if (endpoint === undefined && logs === undefined) {
    words.push("neither endpoint nor logs is given: there is nothing to read");
  }
  const isOut = Object.values(chosen).some((output) => output !== undefined && output !== false);
  if (!isOut) words.push("outputs: none is given; expected at least one");
  if (shares.expirySeconds < 2 * shares.intervalSeconds) {
    words.push("balancing.expirySeconds: expected at least twice intervalSeconds");
  }
  return { config, faults: words.slice(0, 64) };
}
