// Creating and finding endpoints.
import { randomBytes } from 'node:crypto';
import { eventTypes } from '@na/contracts';
import { notFound, ServiceError } from '@na/service-error';
import type { Clock } from '@na/service-host';
import { MoreThan, type DataSource, type Repository } from 'typeorm';
import { typeid } from 'typeid-js';
import { defaultRetryPolicy, type RetryPolicy } from '../deliveries/retry-policy.js';
import { Endpoint } from './endpoint.entity.js';
import { unknownPatterns } from './event-filter.js';
import { newEndpointSecret, type SecretBox } from './secret-box.js';

export interface NewEndpoint {
  url: string;
  description: string;
  eventTypes: string[];
  retryPolicy?: RetryPolicy;
  timeoutMs?: number;
}

const defaultTimeoutMs = 15_000;

export class Endpoints {
  private readonly table: Repository<Endpoint>;

  constructor(
    database: DataSource,
    private readonly secrets: SecretBox,
    private readonly clock: Clock,
  ) {
    this.table = database.getRepository(Endpoint);
  }

  /** @returns the endpoint and its secret, which can't be read again */
  async create(workspaceId: string, wanted: NewEndpoint): Promise<{ endpoint: Endpoint; secret: string }> {
    refuseUnknownEventTypes(wanted.eventTypes);
    const id = typeid('we').toString();
    const secret = newEndpointSecret(randomBytes(32));
    const endpoint = this.table.create({
      id,
      workspaceId,
      url: wanted.url,
      description: wanted.description,
      eventTypes: wanted.eventTypes,
      retryPolicy: wanted.retryPolicy ?? defaultRetryPolicy,
      timeoutMs: wanted.timeoutMs ?? defaultTimeoutMs,
      status: 'enabled',
      disabledReason: null,
      previousSecrets: [],
      pageIds: [],
      headers: {},
      rateLimitPerSecond: null,
      maxInFlight: null,
      ordered: false,
      disabledAt: null,
      deletedAt: null,
      failingSince: null,
      failedAttempts: 0,
      warnings: 0,
      sealedSecret: this.secrets.seal(secret, id),
      createdAt: this.clock.now(),
    });
    await this.table.insert(endpoint);
    return { endpoint, secret };
  }

  async get(workspaceId: string, id: string): Promise<Endpoint> {
    const endpoint = await this.table.findOneBy({ id, workspaceId });
    if (!endpoint) throw notFound('webhook', id);
    return endpoint;
  }

  /** Oldest first; one more than `limit`, so that the caller knows whether there are more. */
  async list(workspaceId: string, after: string, limit: number): Promise<Endpoint[]> {
    return this.table.find({ where: { workspaceId, id: MoreThan(after) }, order: { id: 'ASC' }, take: limit + 1 });
  }
}

function refuseUnknownEventTypes(patterns: string[]): void {
  const fields = unknownPatterns(patterns, eventTypes).map((pattern) => ({
    pointer: `/event_types/${patterns.indexOf(pattern)}`,
    code: 'unknown_event_type',
    detail: `"${pattern}" matches no event type. Known are ${eventTypes.join(', ')}; also families such as "goal.*", and "*".`,
  }));
  if (fields.length > 0) throw new ServiceError('invalid_request', 'Some event types are not known.', { fields });
}
