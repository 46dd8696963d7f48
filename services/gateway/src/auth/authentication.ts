// Who makes a request: from its credential to a principal, or the refusal. What the principal may do is the pipeline's.
import { ServiceError } from '@na/service-error';
import type { FastifyRequest } from 'fastify';
import type { FailedCredentials } from '../limits/failed-credentials.js';
import { addressNotAllowed, credentialRequired, InvalidToken } from './challenge.js';
import { readCredential } from './credential.js';
import { allowsAddress, type Grant } from './grant.js';
import type { KeyMaterial } from './key-material.js';
import type { OperatorToken } from './operator-token.js';
import type { Principal } from './principal.js';
import type { Verdicts } from './verdicts.js';

export interface Authenticated {
  principal: Principal;
  /** Set where the principal rests on memory: asks once more, before a refusal that a change may just have made wrong. */
  confirm?: () => Promise<Principal>;
}

export class Authentication {
  constructor(
    private readonly verdicts: Verdicts,
    private readonly failures: FailedCredentials,
    private readonly operatorToken: OperatorToken,
  ) {}

  /** @throws ServiceError that refuses the request */
  async of(request: FastifyRequest): Promise<Authenticated> {
    const credential = readCredential(request.raw.rawHeaders, request.query as object);
    switch (credential.kind) {
      case 'none':
        throw credentialRequired();
      case 'ambiguous':
        throw new ServiceError('invalid_request', credential.detail);
      case 'malformed':
        throw this.failed(request.ip);
      case 'token':
        if (!this.operatorToken.matches(credential.token)) throw this.failed(request.ip);
        return { principal: { kind: 'operator' } };
      case 'key':
        return this.holderOf(credential.material, request.ip);
    }
  }

  private failed(address: string): Error {
    this.failures.add(address);
    return new InvalidToken();
  }

  /**
   * A key that is remembered costs no look-up and passes, whatever else comes from its address: an office shares one. So
   * does a key that was good from there before: when memory is lost, its owner is not shut out by a neighbour.
   */
  private async holderOf(material: KeyMaterial, address: string): Promise<Authenticated> {
    const grant = this.verdicts.remembered(material);
    if (grant && allowsAddress(grant, address)) return { principal: holder(grant), confirm: () => this.lookUp(material, address) };
    const lastGood = this.verdicts.lastGood(material);
    const isKnown = lastGood !== undefined && allowsAddress(lastGood, address);
    const lookUp = () => this.lookUp(material, address);
    return { principal: isKnown ? await lookUp() : await this.failures.whileAllowed(address, material, lookUp) };
  }

  /** Where a key may be used from is said only to who has its secret. */
  private async lookUp(material: KeyMaterial, address: string): Promise<Principal> {
    const grant = await this.verdicts.ask(material);
    if (!allowsAddress(grant, address)) throw addressNotAllowed(address);
    return holder(grant);
  }
}

function holder({ verdict }: Grant): Principal {
  return { kind: 'key', verdict };
}
