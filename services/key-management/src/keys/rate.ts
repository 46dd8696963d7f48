// How many requests a key may make, held against another key's. Pure.

/** Both null: the installation's default. */
export interface RateLimited {
  rateLimit: number | null;
  rateWindowSeconds: number | null;
}

export interface Rate {
  /** Requests in each window. */
  limit: number;
  windowSeconds: number;
}

export const rateBounds = { limit: 100_000, windowSeconds: 3_600 };

export function rateOf({ rateLimit, rateWindowSeconds }: RateLimited, standard: Rate): Rate {
  return rateLimit === null || rateWindowSeconds === null ? standard : { limit: rateLimit, windowSeconds: rateWindowSeconds };
}

/** Neither more in one burst nor more in the long run. */
export function isAtMost(rate: Rate, other: Rate): boolean {
  return rate.limit <= other.limit && rate.limit * other.windowSeconds <= other.limit * rate.windowSeconds;
}
