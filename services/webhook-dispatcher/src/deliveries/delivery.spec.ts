import { expect, test } from '@jest/globals';
import { deliveryId, eventTimeOf } from './delivery.js';

const at = new Date('2026-03-04T05:06:07.089Z');

test('an event has one delivery for each endpoint, the same however often it arrives', () => {
  expect(deliveryId('evt_1', 'we_1', at)).toBe(deliveryId('evt_1', 'we_1', at));
  expect(deliveryId('evt_1', 'we_1', at)).not.toBe(deliveryId('evt_1', 'we_2', at));
  expect(deliveryId('evt_1', 'we_1', at)).not.toBe(deliveryId('evt_2', 'we_1', at));
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
