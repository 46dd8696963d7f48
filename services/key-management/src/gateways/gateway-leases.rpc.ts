// GatewayLeaseService on the bus.
import { Controller } from '@nestjs/common';
import { GatewayLeaseService, type EndLeaseRequest, type RenewLeaseRequest } from '@na/contracts';
import { RpcMethod } from '@na/messaging';
import { GatewayLeases } from './gateway-leases.js';

@Controller()
export class GatewayLeasesRpc {
  constructor(private readonly leases: GatewayLeases) {}

  @RpcMethod(GatewayLeaseService.method.renewLease)
  async renewLease({ gatewayId }: RenewLeaseRequest) {
    await this.leases.renew(gatewayId);
    return { leaseMs: this.leases.leaseMs };
  }

  @RpcMethod(GatewayLeaseService.method.endLease)
  async endLease({ gatewayId }: EndLeaseRequest) {
    await this.leases.end(gatewayId);
    return {};
  }
}
