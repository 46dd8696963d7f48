// EndpointService on the bus.
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { EndpointService, type CreateEndpointRequest, type GetEndpointRequest, type ListEndpointsRequest } from '@na/contracts';
import { RpcMethod, sealReply } from '@na/messaging';
import type { Endpoint } from './endpoint.entity.js';
import { Endpoints } from './endpoints.js';

@Controller()
export class EndpointsRpc {
  constructor(private readonly endpoints: Endpoints) {}

  @RpcMethod(EndpointService.method.createEndpoint)
  async createEndpoint({ caller, replyPublicKey, ...wanted }: CreateEndpointRequest) {
    const { endpoint, secret } = await this.endpoints.create(caller!.workspaceId, wanted);
    return { endpoint: toProto(endpoint), sealedSecret: sealReply(secret, replyPublicKey) };
  }

  @RpcMethod(EndpointService.method.getEndpoint)
  async getEndpoint({ caller, id }: GetEndpointRequest) {
    return { endpoint: toProto(await this.endpoints.get(caller!.workspaceId, id)) };
  }

  @RpcMethod(EndpointService.method.listEndpoints)
  async listEndpoints({ caller, after, limit }: ListEndpointsRequest) {
    const found = await this.endpoints.list(caller!.workspaceId, after, limit);
    return { endpoints: found.slice(0, limit).map(toProto), hasMore: found.length > limit };
  }
}

function toProto(endpoint: Endpoint) {
  return {
    id: endpoint.id,
    workspaceId: endpoint.workspaceId,
    url: endpoint.url,
    description: endpoint.description,
    eventTypes: endpoint.eventTypes,
    retryPolicy: endpoint.retryPolicy,
    timeoutMs: endpoint.timeoutMs,
    status: endpoint.status,
    disabledReason: endpoint.disabledReason ?? undefined,
    createdAt: timestampFromDate(endpoint.createdAt),
  };
}
