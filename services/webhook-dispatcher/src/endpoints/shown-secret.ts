// Which secret the answer to a creation or a rotation shows. A second try of the request shows the one that its first try made,
// as long as that is the endpoint's secret: whoever may ask may as well rotate it. Earlier ones are shown to nobody any more.
import { sealReply } from '@na/messaging';
import type { Endpoint } from './endpoint.entity.js';
import type { SecretBox } from './secret-box.js';

export class ShownSecret {
  constructor(private readonly secrets: SecretBox) {}

  /**
   * @param rotationId of the rotation that is answered; undefined for the creation
   * @returns the secret, sealed to the key of the asking gateway; empty when another rotation came after
   */
  of({ id, sealedSecret, rotationIds }: Endpoint, rotationId: string | undefined, replyPublicKey: Uint8Array): Uint8Array {
    return rotationIds[0] === rotationId ? sealReply(this.secrets.open(sealedSecret, id), replyPublicKey) : new Uint8Array();
  }
}
