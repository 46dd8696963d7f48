// What the reference says of a route and reflection can't know: its name, what it is for, what it answers, an example of it.
import type { JsonObject } from '@na/contracts';
import type { ErrorCode } from '@na/service-error';
import type { Answer } from './answer.js';

export interface Operation {
  /** Unique in the whole API: clients are generated with methods of this name. */
  id: string;
  summary: string;
  /** What the summary has no room for, in CommonMark. */
  description?: string;
  answer: Answer;
  /** For answers with a Location that are not the thing they are about. */
  hasLocation?: boolean;
  /** A valid body; or several, under their names. They must work as they are, with ids of things that exist. */
  body?: JsonObject;
  bodies?: Record<string, JsonObject>;
  /** Valid values of query parameters. */
  query?: Record<string, string | number>;
  /** Refusals besides those that come with the route's access and input. */
  problems?: ErrorCode[];
}

export interface Tag {
  name: string;
  description: string;
}

interface Reference {
  tag: Tag;
  operations: Record<string, Operation>;
}

/** The table of a controller's operations, by the names of its methods. */
export function operations<K extends string>(table: Record<K, Operation>): Record<K, Operation> {
  return table;
}

const metadataKey = 'na:reference';

/** Where the compiler points here, a method of the controller has no entry in its table of operations. */
type NeedsAnOperation = 'needs an entry in the table of operations';

/** Documents a controller. A route that is left out does not compile, and keeps the gateway from starting. */
export function Documented<T extends Record<string, Operation>>(tag: Tag, operations: T) {
  return <I extends object>(controller: new (...args: never[]) => I & Record<Exclude<keyof I, keyof T>, NeedsAnOperation>): void => {
    Reflect.defineMetadata(metadataKey, { tag, operations } satisfies Reference, controller);
  };
}

export function referenceOf(controller: object): Reference | undefined {
  return Reflect.getMetadata(metadataKey, controller) as Reference | undefined;
}
