type Fields = Readonly<Record<string, string>>;
export type DeviceEvidence = Readonly<Record<string, string | number>>;

/** Ids that a record of evidence names. */
const MOST_NAMED = 6;

/** Gathers the devices of which the same thing is to be said, so that a fleet fills one record. */
export interface DeviceGroups {
  add(fields: Fields, deviceId: string): void;
  /** A record for each thing, those of most devices first. */
  evidence(): readonly DeviceEvidence[];
}

/** No groups yet. */
export function createDeviceGroups(): DeviceGroups {
  const groups = new Map<string, { readonly fields: Fields; readonly ids: Set<string> }>();
  return {
    add(fields, deviceId) {
      const key = JSON.stringify(fields);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { fields, ids: new Set([deviceId]) });
      else group.ids.add(deviceId);
    },
    evidence: () =>
      [...groups]
        .sort(
          ([a, { ids: some }], [b, { ids: others }]) => others.size - some.size || compare(a, b),
        )
        .map(([, { fields, ids }]) => ({
          ...fields,
          devices: namesOf([...ids]),
          count: ids.size,
        })),
  };
}

/** `gw-1, gw-2 and 3 more`, sorted. `count` where the list is not whole. */
export function namesOf(ids: readonly string[], count = ids.length): string {
  const named = [...ids].sort(compare).slice(0, MOST_NAMED);
  const rest = count - named.length;
  return rest > 0 ? `${named.join(", ")} and ${rest} more` : named.join(", ");
}

/** `1 gateway`, `3 gateways`. */
export function numbered(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
