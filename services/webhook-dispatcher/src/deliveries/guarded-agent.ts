// The HTTP clients for customers' servers: they follow no redirect, verify TLS, and connect only to addresses that are
// allowed, directly or through the operator's proxy.
import type { LookupAddress, LookupOptions } from 'node:dns';
import type { BlockList } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { proxyConnector } from './egress-proxy.js';
import type { Proxy } from './proxy-url.js';
import { noteAnswers } from './reused-connection.js';
import { allowedAddresses, blocked, isBlockedLiteral, type Hosts } from './target-addresses.js';

/** Ways out of this network. */
export interface Egress {
  /** Networks that may be reached although they are not of the internet. */
  allowed: BlockList;
  /** Where every connection goes through; undefined for none. */
  proxy: Proxy | undefined;
  hosts: Hosts;
}

const connectTimeoutMs = 5_000;
const keepAliveMs = 30_000;
const maxHeaderBytes = 16 * 1024;

/** @param keepsAlive whether connections are kept for later requests */
export function guardedAgent({ allowed, proxy, hosts }: Egress, keepsAlive: boolean): Agent {
  return new Agent({
    pipelining: keepsAlive ? 1 : 0,
    // One HTTP/2 session would carry the requests of several tenants with one origin.
    allowH2: false,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: maxHeaderBytes,
    // The exchange as a whole has a time-out; these would only end it with another name.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: noteAnswers(proxy ? proxyConnector(proxy, allowed, hosts) : directConnector(allowed, hosts)),
  });
}

function directConnector(allowed: BlockList, hosts: Hosts): buildConnector.connector {
  const connect = buildConnector({ timeout: connectTimeoutMs, allowH2: false, lookup: guardedLookup(allowed, hosts) });
  // A literal address is never looked up, so it is judged before the connector sees it.
  return (target, callback) => (isBlockedLiteral(target.hostname, allowed) ? callback(blocked(target.hostname), null) : connect(target, callback));
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

function guardedLookup(allowed: BlockList, hosts: Hosts) {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    allowedAddresses(hostname, allowed, hosts, options).then(
      (usable) => (options.all ? callback(null, usable) : callback(null, usable[0]!.address, usable[0]!.family)),
      (error: Error) => callback(error, []),
    );
  };
}
