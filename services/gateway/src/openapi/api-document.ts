// The OpenAPI document as it is served.
import type { JsonObject } from '@na/contracts';
import { FixedContent } from './fixed-content.js';

/** It changes with a release. What is older is asked for again with its ETag. */
const caching = 'public, max-age=300';

export class ApiDocument extends FixedContent {
  constructor(document: JsonObject) {
    super('application/json; charset=utf-8', Buffer.from(JSON.stringify(document)), caching);
  }
}
