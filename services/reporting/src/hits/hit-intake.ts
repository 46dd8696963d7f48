// Takes in batches of hits: stores each once, and tells of the pages verified and the goals met. All of a batch happens in one
// transaction, so that a batch delivered again after any crash finds either nothing done or everything.
import { appendToOutbox, eventMessage, type OutboxMessage, type OutboxRelay } from '@na/outbox';
import { acrossWorkspaces, type Clock } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { conversionEvent, conversionsOf } from '../goals/conversion.js';
import { goalsForHits, recordConversions } from '../goals/conversions-store.js';
import { verifiedEvent } from '../pages/verified-event.js';
import type { HitPartitions } from './hit-partitions.js';
import type { HitRow } from './hit-row.js';
import { insertHits, markVerified, pagesNamedBy, type PlacedHit } from './hits-store.js';
import { firstHits, placeHits, verifyingHit } from './placing.js';

export class HitIntake {
  constructor(
    private readonly database: DataSource,
    private readonly partitions: HitPartitions,
    private readonly relay: OutboxRelay,
    private readonly clock: Clock,
  ) {}

  async take(hits: HitRow[]): Promise<void> {
    await this.partitions.makeFor(hits);
    const told = await acrossWorkspaces(this.database, async (tx) => {
      const { stored, verifications } = await this.store(tx, hits);
      const messages = [...verifications, ...(await this.convert(tx, stored))];
      await appendToOutbox(tx, messages);
      return messages.length;
    });
    if (told > 0) this.relay.wake();
  }

  /** @returns the hits that are new, as only these are judged, and what is to be told of the pages that had none before */
  private async store(tx: EntityManager, hits: HitRow[]): Promise<{ stored: PlacedHit[]; verifications: OutboxMessage[] }> {
    const pages = await pagesNamedBy(tx, hits);
    const stored = await insertHits(tx, placeHits(hits, pages));
    const first = firstHits(stored, pages);
    const now = this.clock.now();
    const verifications = (await markVerified(tx, first)).map((page) => ({ ...eventMessage(verifiedEvent(page, now)), trace: verifyingHit(page, first)?.trace }));
    return { stored, verifications };
  }

  /** @returns what is to be told of the goals that were met */
  private async convert(tx: EntityManager, hits: PlacedHit[]): Promise<OutboxMessage[]> {
    const met = conversionsOf(hits, await goalsForHits(tx, hits));
    const conversions = await recordConversions(tx, met);
    const now = this.clock.now();
    return conversions.map((conversion) => ({ ...eventMessage(conversionEvent(conversion, now)), trace: conversion.hit.trace }));
  }
}
