/** Records of an invented hub in the documented shapes, with keys that no output may show. */
import { createHash } from "node:crypto";

/** Stands at the beginning of every secret below, so that a test can look for it. */
export const SECRET_MARK = "c2VjcmV0LW1hcms";

/** A key of a device as the registry gives it. */
export function keyOf(name: string): string {
  const rest = createHash("sha256").update(name).digest("base64").slice(0, 26);
  return `${SECRET_MARK}${rest}=`;
}

export type Fields = Readonly<Record<string, unknown>>;

/** The resource of a hub. Source: REST, IotHubResource Get, 2023-06-30. */
export function hubResource(properties: Fields = {}): Fields {
  return {
    id: "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/plant/providers/Microsoft.Devices/IotHubs/plant-hub",
    name: "plant-hub",
    type: "Microsoft.Devices/IotHubs",
    location: "westeurope",
    etag: "AAAAAAFD6M4=",
    sku: { name: "S1", tier: "Standard", capacity: 1 },
    properties: {
      state: "Active",
      hostName: "plant-hub.azure-devices.net",
      minTlsVersion: "1.2",
      publicNetworkAccess: "Enabled",
      ipFilterRules: [
        { filterName: "plant", action: "Accept", ipMask: "198.51.100.0/24" },
        { filterName: "others", action: "Reject", ipMask: "0.0.0.0/0" },
      ],
      disableLocalAuth: false,
      eventHubEndpoints: { events: { retentionTimeInDays: 1, partitionCount: 4 } },
      ...properties,
    },
  };
}

/** A line of the export job. Source: import and export of device identities. */
export function exportedDevice(id: string, more: Fields = {}): Fields {
  return {
    id,
    eTag: "MA==",
    status: "enabled",
    authentication: {
      symmetricKey: { primaryKey: keyOf(`${id} 1`), secondaryKey: keyOf(`${id} 2`) },
      x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
      type: "sas",
    },
    ...more,
  };
}

/** A device of the export with a certificate. */
export function certificateDevice(id: string, thumbprint: string): Fields {
  const x509Thumbprint = { primaryThumbprint: thumbprint, secondaryThumbprint: null };
  return exportedDevice(id, { authentication: { type: "selfSigned", x509Thumbprint } });
}

/** A twin as a query over devices answers with it. */
export function deviceTwin(deviceId: string, more: Fields = {}): Fields {
  return {
    deviceId,
    etag: "AAAAAAAAAAE=",
    deviceEtag: "NTQ=",
    status: "enabled",
    connectionState: "Connected",
    authenticationType: "sas",
    x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
    version: 3,
    tags: { SecurityGroup: "press" },
    properties: { desired: { $version: 1 }, reported: { $version: 1 } },
    capabilities: { iotEdge: true },
    ...more,
  };
}

/** createOptions as the edge agent keeps them: text in chunks of 512 characters. */
export function chunked(options: unknown): Fields {
  const text = JSON.stringify(options);
  const chunks: Record<string, string> = {};
  for (let at = 0; at * 512 < text.length; at += 1) {
    const name = at === 0 ? "createOptions" : `createOptions${String(at).padStart(2, "0")}`;
    chunks[name] = text.slice(at * 512, (at + 1) * 512);
  }
  return chunks;
}

/** A module of a deployment. */
export function module(image: string, options: unknown = {}, more: Fields = {}): Fields {
  return {
    type: "docker",
    version: "1.0",
    status: "running",
    restartPolicy: "always",
    settings: { image, ...chunked(options) },
    ...more,
  };
}

export const APPLICATION_ID = "0f8fad5b-d9cb-469f-a165-70867728950e";

interface DeploymentParts {
  readonly modules?: Fields;
  readonly registryCredentials?: Fields;
  readonly loggingOptions?: string;
  /** Environment of the edge hub. */
  readonly env?: Fields;
}

/** A twin of an edge agent. Source: IoT Edge, properties of the module twins. */
export function edgeAgentTwin(deviceId: string, parts: DeploymentParts = {}): Fields {
  const { modules, registryCredentials, loggingOptions = "", env } = parts;
  return {
    deviceId,
    moduleId: "$edgeAgent",
    etag: "AAAAAAAAAAM=",
    authenticationType: "sas",
    properties: {
      desired: {
        schemaVersion: "1.1",
        runtime: {
          type: "docker",
          settings: {
            minDockerVersion: "v1.25",
            loggingOptions,
            registryCredentials: registryCredentials ?? {
              plant: {
                address: "plant.azurecr.io",
                username: APPLICATION_ID,
                password: keyOf("registry"),
              },
            },
          },
        },
        systemModules: {
          edgeAgent: module("mcr.microsoft.com/azureiotedge-agent:1.5"),
          edgeHub: module("mcr.microsoft.com/azureiotedge-hub:1.5", HUB_OPTIONS, {
            env: env ?? { httpSettings__enabled: { value: "false" } },
          }),
        },
        modules: modules ?? { press: module("plant.azurecr.io/press:2.1") },
        $version: 7,
      },
      reported: { $version: 90 },
    },
  };
}

const HUB_OPTIONS = {
  HostConfig: {
    PortBindings: { "5671/tcp": [{ HostPort: "5671" }], "8883/tcp": [{ HostPort: "8883" }] },
  },
};

/** A twin of an edge hub with clients by name and the time since when. */
export function edgeHubTwin(deviceId: string, clients: Fields): Fields {
  return {
    deviceId,
    moduleId: "$edgeHub",
    properties: {
      desired: { schemaVersion: "1.1", routes: {}, $version: 2 },
      reported: {
        clients,
        $metadata: { $lastUpdated: "2026-01-15T12:00:00.1234567Z" },
        $version: 40,
      },
    },
  };
}

/** A client of an edge hub. */
export function edgeClient(status: string, lastConnectedTimeUtc: string): Fields {
  return { status, lastConnectedTimeUtc, lastDisconnectTimeUtc: "0001-01-01T00:00:00Z" };
}

/** A diagnostic record: properties are JSON in a string, and authType in it is again. */
export function connectionLog(deviceId: string, scope: string, more: Fields = {}): Fields {
  return {
    time: "2026-01-15T12:10:00.0000000Z",
    resourceId: String(hubResource()["id"]).toUpperCase(),
    operationName: "deviceConnect",
    category: "Connections",
    level: "4",
    properties: JSON.stringify({
      deviceId,
      protocol: "Mqtt",
      authType: JSON.stringify({
        scope,
        type: "sas",
        issuer: "iothub",
        acceptingIpFilterRule: null,
      }),
      maskedIpAddress: "198.51.100.XXX",
      statusCode: null,
    }),
    location: "westeurope",
    ...more,
  };
}
