// Makes a key, once for each Idempotency-Key, even when the first try ended before its answer could be kept.
import type { Key, KeyService } from '@na/contracts';
import type { RpcClient } from '@na/messaging';
import { ServiceError } from '@na/service-error';

type Keys = Pick<RpcClient<typeof KeyService>, 'createKey' | 'getKey'>;

/**
 * @param request with an id that a second try of the same request has again
 * @returns whether this try made the key; if not, an earlier one did, and its secret went with it
 */
export async function makeOnce(keys: Keys, request: Parameters<Keys['createKey']>[0] & { id: string }): Promise<{ key: Key; isNew: boolean }> {
  try {
    const { key } = await keys.createKey(request);
    return { key: key!, isNew: true };
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'conflict') throw error;
    const { key } = await keys.getKey({ caller: request.caller, id: request.id }).catch(() => Promise.reject(error));
    return { key: key!, isNew: false };
  }
}
