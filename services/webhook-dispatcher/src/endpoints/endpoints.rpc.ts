// EndpointService on the bus.
import { randomUUID } from 'node:crypto';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import {
  EndpointService,
  type CreateEndpointRequest,
  type DeleteEndpointRequest,
  type DisableEndpointRequest,
  type EnableEndpointRequest,
  type GetEndpointRequest,
  type ListEndpointsRequest,
  type RotateSecretRequest,
  type TestEndpointRequest,
  type UpdateEndpointRequest,
} from '@na/contracts';
import { boundedLimit, RpcMethod, workspaceOf } from '@na/messaging';
import { toProto } from './endpoint-message.js';
import { Endpoints } from './endpoints.js';
import { SecretIntake } from './secret-intake.js';
import { defaultOverlapSeconds, SecretRotation } from './secret-rotation.js';
import { ShownSecret } from './shown-secret.js';
import { Switching } from './switching.js';
import { TestDeliveries } from './test-delivery.js';

@Controller()
export class EndpointsRpc {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly intake: SecretIntake,
    private readonly rotation: SecretRotation,
    private readonly shown: ShownSecret,
    private readonly switching: Switching,
    private readonly tests: TestDeliveries,
  ) {}

  @RpcMethod(EndpointService.method.createEndpoint)
  async createEndpoint({ caller, id, replyPublicKey, sealedSecret, ...wanted }: CreateEndpointRequest) {
    const endpoint = await this.endpoints.create(workspaceOf(caller), id, wanted, this.intake.read(sealedSecret));
    return { endpoint: toProto(endpoint), sealedSecret: this.shown.of(endpoint, undefined, replyPublicKey) };
  }

  @RpcMethod(EndpointService.method.getEndpoint)
  async getEndpoint({ caller, id }: GetEndpointRequest) {
    return { endpoint: toProto(await this.endpoints.get(workspaceOf(caller), id)) };
  }

  @RpcMethod(EndpointService.method.listEndpoints)
  async listEndpoints({ caller, after, limit: asked }: ListEndpointsRequest) {
    const limit = boundedLimit(asked);
    const found = await this.endpoints.list(workspaceOf(caller), after, limit);
    return { endpoints: found.slice(0, limit).map(toProto), hasMore: found.length > limit };
  }

  @RpcMethod(EndpointService.method.updateEndpoint)
  async updateEndpoint({ caller, id, settings, fields, ifMatch }: UpdateEndpointRequest) {
    return { endpoint: toProto(await this.endpoints.update(workspaceOf(caller), id, settings!, fields, ifMatch)) };
  }

  @RpcMethod(EndpointService.method.deleteEndpoint)
  async deleteEndpoint({ caller, id, ifMatch }: DeleteEndpointRequest) {
    await this.endpoints.delete(workspaceOf(caller), id, ifMatch);
    return {};
  }

  @RpcMethod(EndpointService.method.enableEndpoint)
  async enableEndpoint({ caller, id, isRepeat }: EnableEndpointRequest) {
    const { endpoint, missed, missedSince } = await this.switching.enable(workspaceOf(caller), id, isRepeat);
    return {
      endpoint: toProto(endpoint),
      missedEvents: missed.count,
      missedEventsIsPartial: missed.isPartial,
      missedSince: missedSince && timestampFromDate(missedSince),
    };
  }

  @RpcMethod(EndpointService.method.disableEndpoint)
  async disableEndpoint({ caller, id, reason }: DisableEndpointRequest) {
    return { endpoint: toProto(await this.switching.disable(workspaceOf(caller), id, reason)) };
  }

  @RpcMethod(EndpointService.method.rotateSecret)
  async rotateSecret({ caller, id, replyPublicKey, sealedSecret, ifMatch, ...request }: RotateSecretRequest) {
    const rotationId = request.rotationId || randomUUID();
    const rotation = { rotationId, secret: this.intake.secretFrom(sealedSecret), overlapSeconds: request.overlapSeconds ?? defaultOverlapSeconds };
    const endpoint = await this.rotation.rotate(workspaceOf(caller), id, rotation, ifMatch);
    return { endpoint: toProto(endpoint), sealedSecret: this.shown.of(endpoint, rotationId, replyPublicKey) };
  }

  @RpcMethod(EndpointService.method.testEndpoint)
  async testEndpoint({ caller, id, eventType, eventId, eventAt }: TestEndpointRequest) {
    return this.tests.send(workspaceOf(caller), id, { type: eventType, id: eventId, at: eventAt && timestampDate(eventAt) });
  }

  @RpcMethod(EndpointService.method.getIntakeKey)
  async getIntakeKey() {
    return { publicKey: this.intake.publicKey };
  }
}
