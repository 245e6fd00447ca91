import {
  boolean,
  choice,
  type Infer,
  integer,
  list,
  optional,
  record,
  text,
} from "../contract/schema.ts";
import {
  anyObject,
  host,
  identifier,
  localPath,
  objectsByName,
  port,
  providedFile,
  url,
  uuid,
} from "./forms.ts";

const HTTP_PROXY = {
  form: "http://host:port or https://host:port, without user and password",
  mayHavePath: false,
};
const BROKER = {
  form: "mqtts://host:port, mqtt://, wss:// or ws://, without user and password",
  mayHavePath: true,
};

function proxy(): ReturnType<typeof url> {
  return url("HTTP proxy that takes CONNECT", ["http:", "https:"], HTTP_PROXY);
}

const proxyPasswordFile = providedFile("File with user:password of the proxy");
const extraCa = providedFile("PEM file with CA certificates trusted besides those of the system");

const x509 = record(
  {
    hostName: host("Host name of the hub"),
    deviceId: identifier("Device id at the hub"),
    moduleId: identifier("Module id; absent: the agent is the device itself"),
    certificateFile: providedFile("PEM file with the client certificate and its chain"),
    keyFile: providedFile("PEM file with the private key"),
  },
  { doc: "Identity by client certificate" },
);

const provisioning = record(
  {
    idScope: optional(
      text({
        doc: "ID scope of the provisioning service",
        maxLength: 32,
        form: "an ID scope such as 0ne00000000",
        accepts: (scope) => /^[A-Za-z0-9]+$/.test(scope),
      }),
    ),
    registrationId: optional(
      text({
        doc: "Registration id of the device",
        maxLength: 128,
        form: "1 to 128 letters, digits and -._:",
        accepts: (id) => /^[A-Za-z0-9\-._:]+$/.test(id),
      }),
    ),
    globalEndpoint: text({
      doc: "Host name of the provisioning service",
      default: "global.azure-devices-provisioning.net",
      maxLength: 253,
      form: "a host name",
      accepts: (name) => /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(name),
    }),
    port: port("Port of the provisioning service; absent: that of the protocol"),
    moduleId: identifier("Module to act as once the device is known; absent: the device itself"),
    symmetricKeyFile: providedFile("File with the device's own key"),
    groupKeyFile: providedFile("File with the enrolment group's key; the device's key is derived"),
    certificateFile: providedFile("PEM file with the client certificate and its chain"),
    keyFile: providedFile("PEM file with the private key"),
  },
  { doc: "Identity by the Device Provisioning Service" },
);

const iothub = record({
  connectionStringFile: providedFile("File with the connection string of the module or device"),
  certificateFile: providedFile("Client certificate of a connection string that says x509=true"),
  keyFile: providedFile("Private key of a connection string that says x509=true"),
  x509: optional(x509),
  provisioning: optional(provisioning),
  protocol: choice(["mqtt", "mqtt-ws"] as const, {
    default: "mqtt",
    doc: "MQTT over TLS on port 8883, or inside WebSockets on port 443",
  }),
  port: port("Port of the hub; absent: that of the protocol"),
  gatewayHostName: host("Edge gateway to connect through; for the identity x509"),
  proxy: proxy(),
  proxyPasswordFile,
  caFile: extraCa,
  keepAliveSeconds: integer({
    default: 240,
    min: 30,
    max: 1_177,
    unit: "seconds",
    doc: "MQTT keep-alive",
  }),
  tokenLifetimeMinutes: integer({
    default: 60,
    min: 5,
    max: 1_440,
    unit: "minutes",
    doc: "Life of a SAS token; it is renewed before its end",
  }),
  modelId: optional(
    text({
      doc: "Digital twin model announced at connect",
      maxLength: 128,
      form: "a model id such as dtmi:com:example:Gateway;1",
      accepts: (id) => /^dtmi:[A-Za-z0-9_:]+;[1-9][0-9]{0,8}$/.test(id),
    }),
  ),
  markAsSecurity: boolean({
    default: false,
    doc: "Mark messages for the retired cloud service, which takes them away from the hub's routes",
  }),
});

const mqtt = record({
  url: url("Address of the broker", ["mqtt:", "mqtts:", "ws:", "wss:"], BROKER),
  deviceId: identifier("Name of the device in topics and client id; absent: the host name"),
  topic: text({
    doc: "Topic with the placeholders {deviceId}, {agentId} and {kind}",
    default: "{deviceId}/{agentId}/{kind}",
    maxLength: 1_024,
    form: "a topic without wildcards and with no other placeholder",
    accepts: isTopicTemplate,
  }),
  username: optional(text({ doc: "User name at the broker", maxLength: 1_024 })),
  passwordFile: providedFile("File with the password"),
  certificateFile: providedFile("PEM file with the client certificate and its chain"),
  keyFile: providedFile("PEM file with the private key"),
  caFile: extraCa,
  proxy: proxy(),
  proxyPasswordFile,
  keepAliveSeconds: integer({
    default: 240,
    min: 10,
    max: 65_535,
    unit: "seconds",
    doc: "MQTT keep-alive",
  }),
});

function isTopicTemplate(topic: string): boolean {
  const plain = topic.replace(/\{(?:deviceId|agentId|kind)\}/g, "x");
  return /^[\x21-\x7e]+$/.test(plain) && !/[#+{}$]/.test(plain);
}

const file = record({
  path: optional(localPath("File that gets one JSON line per message")),
  maxBytes: integer({
    default: 10_000_000,
    min: 65_536,
    max: 1_073_741_824,
    unit: "bytes",
    doc: "Size at which the file is rotated",
  }),
  maxFiles: integer({
    default: 5,
    min: 1,
    max: 100,
    doc: "Rotated files kept besides the current one",
  }),
});

const spool = record({
  flushDelaySeconds: integer({
    default: 30,
    min: 0,
    max: 3_600,
    unit: "seconds",
    doc: "Longest time that a stored event may be lost to a power cut; 0 writes through at once",
  }),
  flushBytes: integer({
    default: 65_536,
    min: 4_096,
    max: 16_777_216,
    unit: "bytes",
    doc: "Stored bytes that are forced to disk without waiting for the delay",
  }),
});

function isPattern(source: string): boolean {
  try {
    // A pattern that matches the empty text would mask between all characters.
    return !new RegExp(source, "u").test("");
  } catch {
    return false;
  }
}

/** The local configuration file: the only copy of its keys, forms, bounds and defaults. */
export const CONFIG_SCHEMA = record({
  agentId: uuid("Id of this agent in every message; absent: made once and kept"),
  stateDirectory: localPath("Folder for what outlives a restart", "/var/lib/gatewarden"),
  log: record({
    level: choice(["error", "warn", "info", "debug"] as const, {
      default: "info",
      doc: "Least severe log line that is written",
    }),
  }),
  transport: choice(["iothub", "iothub-sdk", "mqtt", "file"] as const, {
    default: "iothub",
    doc: "Where messages go; iothub and iothub-sdk share the keys of iothub",
  }),
  iothub,
  mqtt,
  file,
  settings: anyObject("Settings under the names of the module twin, which has priority"),
  collectors: objectsByName("Settings of single collectors by name"),
  redaction: record({
    patterns: list(
      text({
        maxLength: 256,
        form: "a regular expression",
        accepts: isPattern,
        doc: "Regular expression; what it matches becomes ***",
      }),
      {
        maxItems: 32,
        doc: "Regular expressions of secrets in command lines, besides the built-in ones",
      },
    ),
  }),
  posture: record({
    deviceSecurityGroupsFile: optional(
      localPath("File with rules of custom alerts: exported deviceSecurityGroups, JSON"),
    ),
  }),
  spool,
  firstSnapshotDelaySeconds: integer({
    default: 10,
    min: 0,
    max: 3_600,
    unit: "seconds",
    doc: "Wait before the first snapshot",
  }),
  firstSnapshotJitterSeconds: integer({
    default: 30,
    min: 0,
    max: 3_600,
    unit: "seconds",
    doc: "Largest random part on top, so that a fleet does not report at once",
  }),
});

export type LocalConfig = Infer<typeof CONFIG_SCHEMA>;
export type HubConfig = LocalConfig["iothub"];
