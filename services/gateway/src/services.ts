// The services behind the gateway, as typed clients on the bus.
import {
  AuditService,
  DeliveryService,
  EndpointService,
  GatewayLeaseService,
  GoalService,
  KeyService,
  PageService,
  ReplayService,
  WorkspaceService,
} from '@na/contracts';
import type { RpcChannel, RpcClient } from '@na/messaging';

export class Services {
  readonly workspaces: RpcClient<typeof WorkspaceService>;
  readonly keys: RpcClient<typeof KeyService>;
  readonly leases: RpcClient<typeof GatewayLeaseService>;
  readonly audit: RpcClient<typeof AuditService>;
  readonly pages: RpcClient<typeof PageService>;
  readonly goals: RpcClient<typeof GoalService>;
  readonly endpoints: RpcClient<typeof EndpointService>;
  readonly deliveries: RpcClient<typeof DeliveryService>;
  readonly replays: RpcClient<typeof ReplayService>;

  constructor(rpc: RpcChannel) {
    this.workspaces = rpc.client(WorkspaceService);
    this.keys = rpc.client(KeyService);
    this.leases = rpc.client(GatewayLeaseService);
    this.audit = rpc.client(AuditService);
    this.pages = rpc.client(PageService);
    this.goals = rpc.client(GoalService);
    this.endpoints = rpc.client(EndpointService);
    this.deliveries = rpc.client(DeliveryService);
    this.replays = rpc.client(ReplayService);
  }
}
