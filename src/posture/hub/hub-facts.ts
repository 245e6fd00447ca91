/** What the rules about a hub are given: extracts of records, without keys, passwords and their like. */
export interface HubFacts {
  /** Hubs whose ARM resource was read. */
  readonly hubs: readonly HubSettings[];
  readonly credentials: CredentialFacts;
  readonly edge: EdgeFacts;
}

/** Network settings of a hub. Source: ARM, Microsoft.Devices/IotHubs, 2023-06-30. */
export interface HubSettings {
  readonly name: string;
  readonly minTlsVersion?: string;
  readonly publicNetworkAccess?: string;
  /** Absent where the hub has the classic list alone. */
  readonly networkRules?: {
    readonly defaultAction?: string;
    readonly rules: readonly AddressRule[];
  };
  /** The classic list: ordered, the first match decides. */
  readonly filterRules: readonly AddressRule[];
  /** Rules that could not be read, so that the lists are not whole. */
  readonly brokenRules: number;
}

/** A rule of either list; its range as numbers of IPv4 or IPv6 addresses, both ends included. */
export interface AddressRule {
  readonly filterName: string;
  readonly isAccept: boolean;
  readonly ipMask: string;
  readonly family: "ipv4" | "ipv6";
  readonly first: bigint;
  readonly last: bigint;
}

/** What identities and logs say of credentials. */
export interface CredentialFacts {
  /** Identities that were read, modules included. */
  readonly identities: number;
  /** Identities with a key that the export leaves out. */
  readonly withoutKeys: number;
  /** Credentials that were no longer compared, since there were too many. */
  readonly notCompared: number;
  readonly shared: readonly SharedCredential[];
  /** Records of the category Connections. */
  readonly connectionRecords: number;
  /** Devices that connected with a policy of the hub, at most so many; the count is of all. */
  readonly policyDevices: readonly string[];
  readonly policyDeviceCount: number;
  /** Identities whose connections were displaced at least so often in an hour that it counts. */
  readonly displaced: readonly DisplacedIdentity[];
}

export interface SharedCredential {
  readonly kind: "symmetric key" | "X.509 thumbprint";
  /** Beginning of its keyed hash: says which are the same within one report, and nothing else. */
  readonly hash: string;
  /** Some of the devices, sorted. */
  readonly devices: readonly string[];
  readonly count: number;
}

export interface DisplacedIdentity {
  readonly identity: string;
  /** `2026-01-15T12Z`: the hour of the clock with most of them. */
  readonly hour: string;
  readonly count: number;
}

export interface EdgeFacts {
  readonly deployments: readonly EdgeDeployment[];
  /** Devices that are gateways by their identity, and have no `$edgeAgent` twin here. */
  readonly withoutTwin: readonly string[];
  /** A complete list of twins was read, such as the answer of the hub: what is not in it does not exist. */
  readonly isComplete: boolean;
  /** Deployments left out, since there were too many. */
  readonly leftOut: number;
}

/** What a gateway is told to run. Source: IoT Edge, properties of the module twins of edge agent and hub. */
export interface EdgeDeployment {
  readonly deviceId: string;
  /** `tags.SecurityGroup`, `default` where the tag is not set; absent where no tags were seen. */
  readonly group?: string;
  readonly modules: readonly EdgeModule[];
  readonly registries: readonly EdgeRegistry[];
  /** Log driver of modules that name none. */
  readonly defaultLogDriver?: string;
  /** Parts of the twin that could not be read. */
  readonly brokenParts: readonly string[];
  /** Clients of the edge hub; absent where no `$edgeHub` twin was seen. */
  readonly clients?: readonly EdgeClient[];
  /** Newest time that the `$edgeHub` twin gives, milliseconds since the Unix epoch. */
  readonly clientsAtMs?: number;
}

/** A module with what rules look at. Equal modules of a fleet are one object. */
export interface EdgeModule {
  readonly name: string;
  readonly isSystem: boolean;
  /** createOptions that give power: path and value. */
  readonly privileges: readonly ModulePrivilege[];
  readonly logDriver?: string;
  /** Protocol heads, of edgeHub alone. */
  readonly heads?: readonly HeadName[];
  /** False where createOptions could not be read. */
  readonly isReadable: boolean;
  /** Keyed hash of all settings. */
  readonly settingsHash: string;
  readonly settings: readonly ModuleSetting[];
}

export interface ModulePrivilege {
  readonly jsonPath: string;
  readonly value: string;
}

/** One setting; `text` only where it cannot hold a secret. */
export interface ModuleSetting {
  readonly path: string;
  readonly hash: string;
  readonly text?: string;
}

export const HEADS = ["amqp", "mqtt", "http"] as const;
export type HeadName = (typeof HEADS)[number];

export interface EdgeRegistry {
  readonly address: string;
  readonly username: string;
}

export interface EdgeClient {
  readonly isConnected: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly lastSeenMs?: number;
}
