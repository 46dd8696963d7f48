import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TypeID } from 'typeid-js';
import { attemptId, deliveryId, eventTimeOf } from './ids.js';

const at = new Date('2026-03-04T05:06:07.089Z');

test('an event has one delivery for each endpoint, the same however often it arrives', () => {
  expect(deliveryId('evt_1', 'we_1', at)).toBe(deliveryId('evt_1', 'we_1', at));
  expect(deliveryId('evt_1', 'we_1', at)).not.toBe(deliveryId('evt_1', 'we_2', at));
  expect(deliveryId('evt_1', 'we_1', at)).not.toBe(deliveryId('evt_2', 'we_1', at));
});

test('it is the same in each release: events that were attempted before an upgrade may come again after it', () => {
  expect(deliveryId('evt_1', 'we_1', at)).toBe('dlv_01kjvktckhfea8gvwc6y2cp5gj');
});

test('the id of a delivery tells when its event happened', () => {
  expect(eventTimeOf(deliveryId('evt_1', 'we_1', at))).toEqual(at);
});

test('ids sort by the time of their events', () => {
  const later = new Date(at.getTime() + 1);
  expect(deliveryId('evt_1', 'we_1', at) < deliveryId('evt_1', 'we_1', later)).toBe(true);
});

test.each(['dlv_x', 'evt_01h45ytscbebyvny4gc8cr8ma2', '', "dlv_' OR 1=1"])('%p is not the id of a delivery', (id) => {
  expect(eventTimeOf(id)).toBeUndefined();
});

const times = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });

test('both ids are TypeIDs of a UUIDv7 with their time', () => {
  fc.assert(
    fc.property(fc.string(), times, times, (eventId, eventAt, startedAt) => {
      const delivery = deliveryId(eventId, 'we_1', eventAt);
      for (const [id, prefix, at] of [[delivery, 'dlv', eventAt], [attemptId(delivery, startedAt), 'att', startedAt]] as const) {
        const read = TypeID.fromString(id, prefix);
        expect(read.toUUID()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(Buffer.from(read.toUUIDBytes()).readUIntBE(0, 6)).toBe(at.getTime());
        expect(TypeID.fromUUID(prefix, read.toUUID()).toString()).toBe(id);
      }
    }),
  );
});

test('attempts of one delivery, and those of two at the same time, have ids of their own', () => {
  const [one, other] = [deliveryId('evt_1', 'we_1', at), deliveryId('evt_1', 'we_2', at)];
  const ids = [attemptId(one, at), attemptId(one, new Date(at.getTime() + 1)), attemptId(other, at)];
  expect(new Set(ids).size).toBe(3);
});
