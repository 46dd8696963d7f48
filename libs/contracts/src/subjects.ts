// The one table of what is called what on the bus: RPC subjects, event subjects and the streams that hold them.
import type { DescMethod } from '@bufbuild/protobuf';

/** Which service answers the methods of a proto package. */
const serviceOfPackage: Record<string, string> = {
  'keys.v1': 'key-management',
  'reporting.v1': 'reporting',
  'webhooks.v1': 'webhook-dispatcher',
};

/** `na.rpc.<service>.v1.<Method>`. Method names are unique within a proto package, so the proto service is left out. */
export function rpcSubject(method: DescMethod): string {
  const protoPackage = method.parent.file.proto.package;
  const service = serviceOfPackage[protoPackage];
  if (!service) throw new Error(`No service answers ${protoPackage}: add it to serviceOfPackage in libs/contracts.`);
  return `na.rpc.${service}.v1.${method.name}`;
}

/** `na.events.v1.<workspace>.<event type>`; the type keeps its dots, so `na.events.v1.*.goal.>` selects a family. */
export function eventSubject(workspaceId: string, eventType: string): string {
  return `na.events.v1.${workspaceId}.${eventType}`;
}

/** Hits are spread over this many shards, so that reporting can be scaled out without two replicas sharing a visitor. */
export const hitShards = 16;

/** `na.hits.v1.<shard>.<workspace>`; all hits of one visitor are in one shard, in order. */
export function hitSubject(workspaceId: string, visitorId: string): string {
  return `na.hits.v1.${shardOf(workspaceId + visitorId)}.${workspaceId}`;
}

/** `na.keys.v1.<workspace>.<key>`, or `na.keys.v1.<workspace>.workspace` for a change of the workspace itself. */
export function keyChangeSubject(workspaceId: string, keyId?: string): string {
  return `na.keys.v1.${workspaceId}.${keyId ?? 'workspace'}`;
}

/** Where every gateway is asked, on core NATS, to apply one KeyChanged; each answers with KeyChangeApplied. */
export const applyKeyChangeSubject = 'na.gateways.v1.apply';

/** `na.dead.<stream>.<durable>`: where a message goes that a consumer gave up on. */
export function deadLetterSubject(stream: string, durable: string): string {
  return `na.dead.${stream}.${durable}`;
}

export interface StreamSpec {
  name: string;
  subjects: string[];
  /** How long a message is kept, in hours. */
  maxAgeHours: number;
  /** How long a repeated Nats-Msg-Id is recognised, in seconds. */
  duplicateWindowSeconds: number;
}

export const streams = {
  events: { name: 'NA_EVENTS', subjects: ['na.events.v1.>'], maxAgeHours: 24 * 30, duplicateWindowSeconds: 600 },
  hits: { name: 'NA_HITS', subjects: ['na.hits.v1.>'], maxAgeHours: 24 * 7, duplicateWindowSeconds: 600 },
  keyChanges: { name: 'NA_KEY_CHANGES', subjects: ['na.keys.v1.>'], maxAgeHours: 24, duplicateWindowSeconds: 120 },
  deadLetters: { name: 'NA_DEAD', subjects: ['na.dead.>'], maxAgeHours: 24 * 30, duplicateWindowSeconds: 120 },
} satisfies Record<string, StreamSpec>;

/** FNV-1a over UTF-16 units: stable across processes and versions, which is all that sharding asks of it. */
function shardOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % hitShards;
}
