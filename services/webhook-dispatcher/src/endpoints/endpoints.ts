// Creating, changing and deleting endpoints.
import type { BlockList } from 'node:net';
import { ServiceError } from '@na/service-error';
import type { Clock } from '@na/service-host';
import { typeid } from 'typeid-js';
import { requireMatch } from './endpoint-message.js';
import { unblemished, type Endpoint } from './endpoint.entity.js';
import { changedSettings, newSettings, type WantedSettings } from './endpoint-settings.js';
import type { EndpointStore } from './endpoint-store.js';
import type { LeftOverDeliveries } from './left-over-deliveries.js';
import type { SecretBox } from './secret-box.js';
import type { ChosenSecret } from './secret-intake.js';

/** Enough to tell systems and environments apart; each one costs every event of its workspace a look. */
const maxEndpoints = 50;

export class Endpoints {
  constructor(
    private readonly store: EndpointStore,
    private readonly leftOvers: LeftOverDeliveries,
    private readonly secrets: SecretBox,
    /** Networks that webhooks may reach although they are private. */
    private readonly allowed: BlockList,
    private readonly clock: Clock,
  ) {}

  /**
   * An endpoint that an earlier try of the same request made is not made again: it has the secret of that try.
   * @param wantedId the same in each try of one request; empty for one that is chosen here
   * @param chosen the secret, which is sealed here, with what is wrong with it
   */
  async create(workspaceId: string, wantedId: string, wanted: WantedSettings, chosen: ChosenSecret): Promise<Endpoint> {
    const id = wantedId || typeid('we').toString();
    const endpoint: Endpoint = {
      ...newSettings(wanted, this.allowed, chosen.faults),
      id,
      workspaceId,
      sealedSecret: this.secrets.seal(chosen.secret, id),
      previousSecrets: [],
      rotationIds: [],
      deletedAt: null,
      ...unblemished,
      toldSince: null,
      missedSince: null,
      enabledAt: null,
      failedBefore: 0,
      createdAt: this.clock.now(),
    };
    return this.store.insert(endpoint, refuseTooMany);
  }

  get(workspaceId: string, id: string): Promise<Endpoint> {
    return this.store.get(workspaceId, id);
  }

  /** Oldest first; one more than `limit`, so that the caller knows whether there are more. */
  list(workspaceId: string, after: string, limit: number): Promise<Endpoint[]> {
    return this.store.list(workspaceId, after, limit);
  }

  /** @param fields which of the settings change, as in UpdateEndpointRequest */
  async update(workspaceId: string, id: string, wanted: WantedSettings, fields: string[], ifMatch?: string): Promise<Endpoint> {
    const { after } = await this.store.change(workspaceId, id, (endpoint) => {
      requireMatch(endpoint, ifMatch);
      const changes = changedSettings(settingsOf(endpoint), wanted, fields, this.allowed);
      // What the server at the old address asked for does not bind the new one.
      return changes.url === endpoint.url ? changes : { ...changes, pausedUntil: null };
    });
    return after;
  }

  /** What it was sent stays in the delivery table; what it was still to be sent is cancelled with it. */
  async delete(workspaceId: string, id: string, ifMatch?: string): Promise<void> {
    const now = this.clock.now();
    await this.store.change(workspaceId, id, (endpoint) => {
      requireMatch(endpoint, ifMatch);
      return { deletedAt: now, status: 'disabled', disabledAt: now, disabledReason: 'It was deleted.' };
    });
    await this.leftOvers.cancelOf(workspaceId, id);
  }
}

function refuseTooMany(existing: number): void {
  if (existing < maxEndpoints) return;
  throw new ServiceError('conflict', `This workspace has ${existing} webhooks, and ${maxEndpoints} are the most. Delete one that is not needed any more.`);
}

function settingsOf({ url, description, eventTypes, retryPolicy, timeoutMs, pageIds, headers, rateLimitPerSecond, maxInFlight, ordered }: Endpoint) {
  return { url, description, eventTypes, retryPolicy, timeoutMs, pageIds, headers, rateLimitPerSecond, maxInFlight, ordered };
}
