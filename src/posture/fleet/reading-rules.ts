/** How records are read: what of it the owner may choose. */
export interface ReadingRules {
  /** Application property with the name of the device's security group: an enrichment of the hub. */
  readonly groupProperty: string;
  /** Application property with the device's protocol; undefined: none is looked for. */
  readonly protocolProperty: string | undefined;
  /** Where updates of twins are counted: both tell of the same ones. */
  readonly twinUpdates: "events" | "logs";
  /** Where purges of command queues are counted: both tell of the same ones. */
  readonly queuePurges: "feedback" | "logs";
  /** Names of agent events that some rule asks for. */
  readonly agentEvents: ReadonlySet<string>;
}
