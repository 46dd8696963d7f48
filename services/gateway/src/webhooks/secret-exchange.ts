// How the secret of a webhook passes between client and dispatcher: sealed both ways, so that nobody on the bus can read it.
import type { EndpointService } from '@na/contracts';
import { createReplyKey, sealReply, type RpcClient } from '@na/messaging';

type Endpoints = Pick<RpcClient<typeof EndpointService>, 'getIntakeKey'>;

export interface SecretExchange {
  /** Fields of the request: the chosen secret, if there is one, and a key of this request alone that the reply is sealed to. */
  sealed: { replyPublicKey: Uint8Array; sealedSecret?: Uint8Array };
  /** @returns the secret in the reply; null when none came, as it was rotated between two tries of the request */
  open: (sealedSecret: Uint8Array) => string | null;
}

/** @param chosen by the client; a key that any replica of the dispatcher opens is asked for only then */
export async function exchangeSecret(endpoints: Endpoints, chosen: string | null | undefined): Promise<SecretExchange> {
  const replyKey = createReplyKey();
  const sealedSecret = typeof chosen === 'string' ? sealReply(chosen, (await endpoints.getIntakeKey({})).publicKey) : undefined;
  return {
    sealed: { replyPublicKey: replyKey.publicKey, sealedSecret },
    open: (sealed) => (sealed.length > 0 ? replyKey.open(sealed) : null),
  };
}
