// What one verified secret of a key allows, made ready to judge request after request on it. Pure.
import { BlockList, isIP, isIPv6 } from 'node:net';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { KeyChanged, Verdict } from '@na/contracts';
import ipaddr from 'ipaddr.js';

export interface Grant {
  readonly verdict: Verdict;
  /** SHA-256 of the secret that was verified. */
  readonly secretDigest: Buffer;
  /** Unix milliseconds from which it allows nothing: the key expires, or the secret before a rotation stops working. */
  readonly endsAtMs: number;
  /** Undefined: from everywhere. */
  readonly addresses: Addresses | undefined;
}

/** Apart, because a BlockList takes an IPv4 address for one of ::/0 too, which whoever allows that does not mean. */
interface Addresses {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

export function grantOf(verdict: Verdict, secretDigest: Buffer): Grant {
  const { expiresAt, secretExpiresAt, allowedIps } = verdict;
  const ends = [expiresAt, secretExpiresAt].map((time) => (time ? timestampMs(time) : Infinity));
  return { verdict, secretDigest, endsAtMs: Math.min(...ends), addresses: allowedIps.length > 0 ? listOf(allowedIps) : undefined };
}

/** @param address of the client; IPv4 may come as IPv6 (`::ffff:192.0.2.1`). What is no address is allowed nowhere. */
export function allowsAddress({ addresses }: Grant, address: string): boolean {
  if (!addresses) return true;
  if (isIP(address) === 0) return false;
  const plain = isIPv6(address) ? ipaddr.process(address) : undefined;
  return plain?.kind() === 'ipv6' ? addresses.ipv6.check(address, 'ipv6') : addresses.ipv4.check(plain?.toString() ?? address);
}

/** Whether a change makes worthless what an earlier verdict said. */
export function isVoidedBy(verdict: Verdict, { keyId, workspaceId, version }: KeyChanged): boolean {
  if (keyId === '') return verdict.workspaceId === workspaceId && verdict.workspaceVersion < version;
  return verdict.keyId === keyId && verdict.version < version;
}

function listOf(allowedIps: string[]): Addresses {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const entry of allowedIps) {
    const [address, prefix] = entry.split('/') as [string, string?];
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) lists[family].addAddress(address, family);
    else lists[family].addSubnet(address, Number(prefix), family);
  }
  return lists;
}
