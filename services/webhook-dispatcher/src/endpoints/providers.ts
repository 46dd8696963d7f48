// What answers for endpoints, put together.
import type { Clock } from '@na/service-host';
import type { DataSource } from 'typeorm';
import type { Counting } from '../counting.js';
import type { DirectAttempts } from '../deliveries/direct-attempts.js';
import type { EndpointStore } from './endpoint-store.js';
import { Endpoints } from './endpoints.js';
import type { SecretBox, SealingKeys } from './secret-box.js';
import { SecretIntake } from './secret-intake.js';
import { SecretRotation } from './secret-rotation.js';
import { ShownSecret } from './shown-secret.js';
import { Switching } from './switching.js';
import { TestDeliveries } from './test-delivery.js';

export interface EndpointParts {
  database: DataSource;
  store: EndpointStore;
  endpoints: Endpoints;
  sealingKeys: SealingKeys;
  secrets: SecretBox;
  counting: Counting;
  clock: Clock;
  /** Tells the due loop that deliveries may have become due. */
  wake: () => void;
  attemptFirst: (id: string, eventAt: Date) => Promise<void>;
  direct: DirectAttempts;
}

export function endpointProviders({ database, store, endpoints, sealingKeys, secrets, counting, clock, wake, attemptFirst, direct }: EndpointParts) {
  return [
    { provide: Endpoints, useValue: endpoints },
    { provide: SecretIntake, useValue: new SecretIntake(sealingKeys) },
    { provide: SecretRotation, useValue: new SecretRotation(store, secrets, clock) },
    { provide: ShownSecret, useValue: new ShownSecret(secrets) },
    { provide: Switching, useValue: new Switching(store, counting, clock, wake) },
    { provide: TestDeliveries, useValue: new TestDeliveries(database, store, secrets, direct, clock, attemptFirst) },
  ];
}
