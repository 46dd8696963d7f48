// Connections to customers' servers through the operator's forward proxy. The name is resolved and judged here, and CONNECT
// names the judged address: were it given the name, the proxy would resolve it again, and to whatever DNS says by then.
// http targets are tunnelled too, so that the proxy has no header to add or change and no answer to make up.
import { request as plainRequest, type ClientRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { BlockList, Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { Proxy } from './proxy-url.js';
import { SendFailure, type SendError } from './send-error.js';
import { allowedAddresses, type Hosts } from './target-addresses.js';

/** For the tunnel, and then once more for TLS inside it. Resolving the name has a time of its own, in `host-lookup.ts`. */
const timeoutMs = 5_000;
/** A host may have many addresses, and each that can't be reached costs time of the attempt. */
const maxAddresses = 4;
const maxHeaderBytes = 16 * 1024;

type Connector = buildConnector.connector;
type Target = buildConnector.Options;

const tunnelTime = () => AbortSignal.timeout(timeoutMs);

/** @param startTime makes a signal of the end of a tunnel's time, which begins with the call */
export function proxyConnector(proxy: Proxy, allowed: BlockList, hosts: Hosts, startTime = tunnelTime): Connector {
  const startTls = buildConnector({ timeout: timeoutMs, allowH2: false });
  return (target, callback) => {
    reach(proxy, target, allowed, hosts, startTime).then(
      (tunnel) => (target.protocol === 'https:' ? startTls({ ...target, httpSocket: tunnel }, callback) : callback(null, tunnel)),
      (error: Error) => callback(error, null),
    );
  };
}

/** Tries the host's addresses in turn: the proxy may have no IPv6, or one of them may be down. */
async function reach(proxy: Proxy, { hostname, port, protocol }: Target, allowed: BlockList, hosts: Hosts, startTime: () => AbortSignal): Promise<Socket> {
  const addresses = await allowedAddresses(hostname, allowed, hosts);
  // Begun before, a slow lookup would leave the proxy no time, and be taken for a fault of the proxy.
  const signal = startTime();
  let failure: unknown;
  for (const { address, family } of addresses.slice(0, maxAddresses)) {
    const authority = `${family === 6 ? `[${address}]` : address}:${port || (protocol === 'https:' ? 443 : 80)}`;
    try {
      return await openTunnel(proxy, authority, signal);
    } catch (error) {
      // A proxy that has answered for an earlier address can be used: what it lacked for this one is time.
      failure = failure !== undefined && signal.aborted ? noAnswer(proxy) : error;
      if (!(failure instanceof SendFailure && failure.meaning === 'host_unreachable')) break;
    }
  }
  throw failure;
}

function openTunnel(proxy: Proxy, authority: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const connect = askFor(authority, proxy, signal);
    connect.once('connect', ({ statusCode = 0 }, socket, head) => {
      if (isTunnel(statusCode)) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      } else {
        reject(refusal(proxy, statusCode));
        socket.on('error', () => undefined).destroy();
      }
    });
    connect.on('error', (error) => reject(signal.aborted && connect.writableFinished ? noAnswer(proxy) : unusable(proxy, error)));
    connect.end();
  });
}

function askFor(authority: string, { isSecure, hostname, port, authorization }: Proxy, signal: AbortSignal): ClientRequest {
  const headers = { host: authority, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) };
  const options = { hostname, port, method: 'CONNECT', path: authority, headers, signal, agent: false, maxHeaderSize: maxHeaderBytes };
  return isSecure ? secureRequest(options) : plainRequest(options);
}

function isTunnel(status: number): boolean {
  return status >= 200 && status < 300;
}

/** By 502 and 503 proxies say that they could not connect, by 504 that it took too long. Anything else is between them and us. */
function meaningOfStatus(status: number): SendError {
  if (status === 502 || status === 503) return 'host_unreachable';
  return status === 504 ? 'timeout' : 'proxy_error';
}

function refusal({ hostname }: Proxy, status: number): SendFailure {
  return new SendFailure(meaningOfStatus(status), `the proxy ${hostname} answered CONNECT with ${status}`);
}

/** It took the request: whether the target or the proxy itself is slow can't be told from here. */
function noAnswer({ hostname }: Proxy): SendFailure {
  return new SendFailure('timeout', `the proxy ${hostname} did not answer CONNECT in ${timeoutMs / 1_000} s`);
}

function unusable({ hostname }: Proxy, { message }: Error): SendFailure {
  return new SendFailure('proxy_error', `the proxy ${hostname} could not be used: ${message}`);
}
