// The verdicts that this gateway remembers, by key. Whether it may go by them at all is the lease's to say.
import { timingSafeEqual } from 'node:crypto';
import type { KeyChanged } from '@na/contracts';
import { LRUCache } from 'lru-cache';
import { isVoidedBy, type Grant } from './grant.js';
import type { KeyMaterial } from './key-material.js';

/** About 1 KB each. Keys beyond it cost a look-up, those used longest ago first. */
const maxKeys = 100_000;

/** Of the current secret and, while a rotation overlaps, of the one before. */
const maxGrantsPerKey = 2;

interface Entry {
  /** Of one version of the key; none when its secrets turned out to be good no longer. */
  grants: Grant[];
  /** What was true once, and no longer counts: kept to tell who used to be let in from who tries keys out. */
  isVoid: boolean;
}

export class VerdictCache {
  private readonly entries: LRUCache<string, Entry>;

  constructor(max = maxKeys) {
    this.entries = new LRUCache({ max });
  }

  /** The verdict on this very secret: a secret that was not verified finds nothing, and is never remembered as wrong. */
  find(material: KeyMaterial): Grant | undefined {
    const entry = this.entries.get(material.keyId);
    return entry && !entry.isVoid ? grantFor(entry, material) : undefined;
  }

  /** What the secret was good for when it was last judged here, though it may be so no longer: nothing is allowed by it. */
  lastGood(material: KeyMaterial): Grant | undefined {
    const entry = this.entries.peek(material.keyId);
    return entry && grantFor(entry, material);
  }

  remember(grant: Grant): void {
    const { keyId } = grant.verdict;
    const entry = this.entries.get(keyId);
    const others = entry && !entry.isVoid ? entry.grants.filter((other) => isOfSameState(other, grant) && !isOfSameSecret(other, grant)) : [];
    this.entries.set(keyId, { grants: [grant, ...others].slice(0, maxGrantsPerKey), isVoid: false });
  }

  /** The secret turned out to be good no longer. Another secret of the same key is left as it is. */
  forget(material: KeyMaterial): void {
    const entry = this.entries.peek(material.keyId);
    const grant = entry && grantFor(entry, material);
    if (grant) entry.grants = entry.grants.filter((other) => other !== grant);
  }

  apply(change: KeyChanged): void {
    if (change.keyId === '') for (const entry of this.entries.values()) voidBy(change, entry);
    else voidBy(change, this.entries.peek(change.keyId));
  }

  voidAll(): void {
    for (const entry of this.entries.values()) entry.isVoid = true;
  }
}

function grantFor({ grants }: Entry, { secretDigest }: KeyMaterial): Grant | undefined {
  return grants.find((grant) => timingSafeEqual(grant.secretDigest, secretDigest));
}

function isOfSameState({ verdict: a }: Grant, { verdict: b }: Grant): boolean {
  return a.version === b.version && a.workspaceVersion === b.workspaceVersion;
}

function isOfSameSecret(a: Grant, b: Grant): boolean {
  return timingSafeEqual(a.secretDigest, b.secretDigest);
}

function voidBy(change: KeyChanged, entry: Entry | undefined): void {
  if (entry?.grants.some(({ verdict }) => isVoidedBy(verdict, change))) entry.isVoid = true;
}
