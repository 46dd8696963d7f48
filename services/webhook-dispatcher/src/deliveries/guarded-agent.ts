// The HTTP client for customers' servers: keeps connections alive, follows no redirect, verifies TLS, and connects only
// to addresses that are allowed. The address is judged after resolution, inside the connect, and the one that was judged
// is the one that is connected to: an answer of DNS that changes afterwards changes nothing.
import { lookup as resolveName, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP, type BlockList } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { isAddressAllowed } from '../endpoints/target-address.js';

export class AddressBlockedError extends Error {
  override readonly name = 'AddressBlockedError';
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

const connectTimeoutMs = 5_000;
const keepAliveMs = 30_000;
const maxHeaderBytes = 16 * 1024;

export function guardedAgent(allowed: BlockList): Agent {
  // A literal address is never looked up, so it is judged before the connector sees it.
  const connect = buildConnector({ timeout: connectTimeoutMs, allowH2: false, lookup: guardedLookup(allowed) });
  return new Agent({
    pipelining: 1,
    // One HTTP/2 session would carry the requests of several tenants with one origin.
    allowH2: false,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: maxHeaderBytes,
    // The exchange as a whole has a time-out; these would only end it with another name.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (options, callback) => {
      const literal = options.hostname.replace(/^\[|\]$/g, '');
      if (isIP(literal) && !isAddressAllowed(literal, allowed)) return callback(blocked(literal), null);
      return connect(options, callback);
    },
  });
}

function guardedLookup(allowed: BlockList) {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    resolveName(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const usable = found.filter(({ address }) => isAddressAllowed(address, allowed));
      if (usable.length === 0) return callback(blocked(hostname), []);
      if (options.all) return callback(null, usable);
      return callback(null, usable[0]!.address, usable[0]!.family);
    });
  };
}

function blocked(target: string): AddressBlockedError {
  return new AddressBlockedError(`${target} is in a network that webhooks may not reach`);
}

export interface RequestWithStart extends Dispatcher.RequestOptions {
  origin: string;
  /** Called when a connection is there and the request begins to be sent. */
  onStart: () => void;
}

/** Interceptor for `onStart`, which undici tells its handlers but not its callers. */
export function tellStart(dispatch: Dispatcher.Dispatch): Dispatcher.Dispatch {
  return (options, handler) => {
    const { onStart } = options as RequestWithStart;
    const told = Object.create(handler, {
      onRequestStart: {
        value: (...started: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestStart']>>) => {
          onStart();
          handler.onRequestStart?.(...started);
        },
      },
    }) as Dispatcher.DispatchHandler;
    return dispatch(options, told);
  };
}
