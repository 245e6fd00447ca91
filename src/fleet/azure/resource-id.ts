import { fail, ok, type Result } from "../../contract/result.ts";

/** Where a hub is in Azure. */
export interface HubAddress {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly hubName: string;
}

const FORM =
  /^\/subscriptions\/([0-9a-f-]{36})\/resourceGroups\/([^/]{1,90})\/providers\/Microsoft\.Devices\/IotHubs\/([A-Za-z0-9-]{1,50})\/?$/i;

/** Reads the resource id of a hub. Errors: `malformed`. Source: ARM, resource ids. */
export function readResourceId(text: string): Result<HubAddress> {
  const [, subscriptionId, resourceGroup, hubName] = FORM.exec(text) ?? [];
  if (subscriptionId === undefined || resourceGroup === undefined || hubName === undefined) {
    return fail("malformed", "--resource-id", `'${text}' is no resource id of a hub`);
  }
  return ok({ subscriptionId, resourceGroup, hubName });
}
