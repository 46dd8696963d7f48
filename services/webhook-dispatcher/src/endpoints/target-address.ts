// Which addresses a webhook may be sent to. Judged on the address that is connected to, never on the name: the sender
// asks after resolution and pins the answer.
import { BlockList, isIP } from 'node:net';

/** Not reachable for webhooks unless allowed: this network, private, loopback, link-local, metadata, reserved ranges.
 *  Sources: the IANA special-purpose address registries for IPv4 and IPv6. */
const blockedCidrs = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',
  '::/128', '::1/128', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20', '5f00::/16',
  'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8',
];

/** @throws Error that names the entry that is not a CIDR */
export function parseCidrs(entries: string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', length = ''] = entry.split('/');
    const family = isIP(address);
    if (!family || !/^\d{1,3}$/.test(length) || Number(length) > (family === 4 ? 32 : 128)) {
      throw new Error(`"${entry}" is not a network such as 10.1.0.0/16 or fd00::/8`);
    }
    list.addSubnet(address, Number(length), family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

const blocked = parseCidrs(blockedCidrs);

/** The only part of IPv6 that leads to hosts of the internet; everything else has a meaning of its own. */
const globalUnicast = parseCidrs(['2000::/3']);

/** @param address an IPv4 or IPv6 address as text, without brackets */
export function isAddressAllowed(address: string, allowed: BlockList): boolean {
  const plain = embeddedIpv4(address) ?? address;
  const family = isIP(plain) === 4 ? 'ipv4' : 'ipv6';
  if (allowed.check(plain, family)) return true;
  if (isIP(plain) === 6 && !globalUnicast.check(plain, 'ipv6')) return false;
  return isIP(plain) !== 0 && !blocked.check(plain, family);
}

/** The IPv4 address inside a mapped (::ffff:0:0/96) or NAT64 (64:ff9b::/96) one, which leads to the same host. */
function embeddedIpv4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const canonical = new URL(`http://[${address.split('%')[0]}]/`).hostname.slice(1, -1);
  const match = /^(?:::ffff:|64:ff9b::)(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})$/.exec(canonical);
  if (!match) return undefined;
  const bits = (parseInt(match[1] ?? '0', 16) << 16) | parseInt(match[2]!, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}
