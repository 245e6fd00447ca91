import { type Endianness, netlinkRequest } from "./netlink-message.ts";

/** Source: linux/netfilter/nfnetlink.h. */
const NFNL_SUBSYS_NFTABLES = 10;
const NLM_F_REQUEST_DUMP = 0x301;
/** struct nfgenmsg, in front of the attributes of every message: family, version, resource. */
export const GENERIC_HEADER_BYTES = 4;

/** Type of a netlink message, by its number among those of nf_tables. Source: enum nf_tables_msg_types. */
export function nftablesType(message: number): number {
  return (NFNL_SUBSYS_NFTABLES << 8) | message;
}

/** A request to dump objects of nf_tables; `body` begins with the generic header. */
export function nftablesDumpRequest(
  message: number,
  body: Uint8Array,
  context: { readonly sequence: number; readonly endianness: Endianness },
): Uint8Array {
  return netlinkRequest({
    type: nftablesType(message),
    flags: NLM_F_REQUEST_DUMP,
    body,
    ...context,
  });
}

const UTF8 = new TextDecoder();

/** Text of an attribute, without the NUL that ends it; empty where there is none. */
export function attributeText(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : UTF8.decode(bytes).replace(/\0+$/, "");
}
