// Takes in batches of hits: stores each once, and tells of the goals met. All of a batch happens in one transaction, so
// that a batch delivered again after any crash finds either nothing done or everything.
import { appendToOutbox, eventMessage, type OutboxRelay } from '@na/outbox';
import { acrossWorkspaces, type Clock } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { conversionEvent, conversionsOf } from '../goals/conversion.js';
import { goalsForHits, recordConversions } from '../goals/conversions-store.js';
import type { HitPartitions } from './hit-partitions.js';
import type { HitRow } from './hit-row.js';
import { insertHits, markVerified, pagesNamedBy, type PlacedHit } from './hits-store.js';
import { firstHits, placeHits } from './placing.js';

export class HitIntake {
  constructor(
    private readonly database: DataSource,
    private readonly partitions: HitPartitions,
    private readonly relay: OutboxRelay,
    private readonly clock: Clock,
  ) {}

  async take(hits: HitRow[]): Promise<void> {
    await this.partitions.makeFor(hits);
    const conversions = await acrossWorkspaces(this.database, async (tx) => this.convert(tx, await this.store(tx, hits)));
    if (conversions > 0) this.relay.wake();
  }

  /** @returns the hits that are new; only these are judged */
  private async store(tx: EntityManager, hits: HitRow[]): Promise<PlacedHit[]> {
    const pages = await pagesNamedBy(tx, hits);
    const stored = await insertHits(tx, placeHits(hits, pages));
    await markVerified(tx, firstHits(stored, pages));
    return stored;
  }

  /** @returns how many goals were met */
  private async convert(tx: EntityManager, hits: PlacedHit[]): Promise<number> {
    const met = conversionsOf(hits, await goalsForHits(tx, hits));
    const conversions = await recordConversions(tx, met);
    const now = this.clock.now();
    await appendToOutbox(
      tx,
      conversions.map((conversion) => ({ ...eventMessage(conversionEvent(conversion, now)), trace: conversion.hit.trace })),
    );
    return conversions.length;
  }
}
