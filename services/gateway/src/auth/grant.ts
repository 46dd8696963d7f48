// What one verified secret of a key allows, made ready to judge request after request on it. Pure.
import { BlockList, isIPv6 } from 'node:net';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { KeyChanged, Verdict } from '@na/contracts';

export interface Grant {
  readonly verdict: Verdict;
  /** SHA-256 of the secret that was verified. */
  readonly secretDigest: Buffer;
  /** Unix milliseconds from which it allows nothing: the key expires, or the secret before a rotation stops working. */
  readonly endsAtMs: number;
  /** Undefined: from everywhere. */
  readonly addresses: BlockList | undefined;
}

export function grantOf(verdict: Verdict, secretDigest: Buffer): Grant {
  const { expiresAt, secretExpiresAt, allowedIps } = verdict;
  const ends = [expiresAt, secretExpiresAt].map((time) => (time ? timestampMs(time) : Infinity));
  return { verdict, secretDigest, endsAtMs: Math.min(...ends), addresses: allowedIps.length > 0 ? listOf(allowedIps) : undefined };
}

/** @param address of the client; IPv4 may come as IPv6 (`::ffff:192.0.2.1`). What is no address is allowed nowhere. */
export function allowsAddress({ addresses }: Grant, address: string): boolean {
  if (!addresses) return true;
  // BlockList judges an IPv4 address in IPv6 notation by the IPv4 entries.
  return addresses.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Whether a change makes worthless what an earlier verdict said. */
export function isVoidedBy(verdict: Verdict, { keyId, workspaceId, version }: KeyChanged): boolean {
  if (keyId === '') return verdict.workspaceId === workspaceId && verdict.workspaceVersion < version;
  return verdict.keyId === keyId && verdict.version < version;
}

function listOf(allowedIps: string[]): BlockList {
  const list = new BlockList();
  for (const entry of allowedIps) {
    const [address, prefix] = entry.split('/') as [string, string?];
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
