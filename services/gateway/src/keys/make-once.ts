// Makes a key, once for each Idempotency-Key, even when the first try ended before its answer could be kept.
import type { Key, KeyService } from '@na/contracts';
import type { RpcClient } from '@na/messaging';

type Keys = Pick<RpcClient<typeof KeyService>, 'createKey' | 'getKey'>;

/**
 * @param request with an id that a second try of the same request has again
 * @param isRepeat an earlier try may have made the key: then it is looked for, whatever this one was refused for
 * @returns whether this try made the key; if not, an earlier one did, and its secret went with it
 */
export async function makeOnce(
  keys: Keys,
  request: Parameters<Keys['createKey']>[0] & { id: string },
  isRepeat: boolean,
): Promise<{ key: Key; isNew: boolean }> {
  try {
    const { key } = await keys.createKey(request);
    return { key: key!, isNew: true };
  } catch (error) {
    const earlier = isRepeat ? await keys.getKey({ caller: request.caller, id: request.id }).catch(() => undefined) : undefined;
    if (!earlier) throw error;
    return { key: earlier.key!, isNew: false };
  }
}
