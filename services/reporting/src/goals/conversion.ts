// A conversion: one hit that met one goal, and how the others are told of it. Pure but for the making of event ids.
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { newEvent, type Envelope } from '@na/contracts';
import { typeid } from 'typeid-js';
import type { PlacedHit } from '../hits/hits-store.js';
import { goalsMetBy, type JudgedGoal } from './goals-met.js';

export interface ConvertibleGoal extends JudgedGoal {
  id: string;
  name: string;
  value: number | null;
}

export interface Conversion {
  goal: ConvertibleGoal;
  hit: PlacedHit;
  /** Stored with the conversion, so that the event told of it is always the same one. */
  eventId: string;
}

export function conversionsOf(hits: PlacedHit[], goals: ConvertibleGoal[]): Conversion[] {
  return hits.flatMap((hit) => goalsMetBy(hit, goals).map((goal) => ({ goal, hit, eventId: typeid('evt').toString() })));
}

export function conversionEvent({ goal, hit, eventId }: Conversion, now: Date): Envelope {
  return newEvent({
    type: 'goal.converted',
    id: eventId,
    workspaceId: hit.workspaceId,
    createdAt: now,
    data: {
      goalId: goal.id,
      goalName: goal.name,
      pageId: hit.pageId ?? '',
      hitId: hit.id,
      visitorId: hit.visitorId,
      value: goal.value ?? undefined,
      convertedAt: timestampFromDate(hit.occurredAt),
    },
  });
}
