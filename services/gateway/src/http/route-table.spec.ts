import { expect, test } from '@jest/globals';
import { RouteTable } from './route-table.js';

const routes = new RouteTable();
routes.add({ url: '/keys', method: 'GET' });
routes.add({ url: '/keys', method: 'POST' });
routes.add({ url: '/keys/:id', method: 'DELETE' });
routes.add({ url: '/keys/current', method: ['GET', 'HEAD'] });

test('an address answers the methods of all routes that match it', () => {
  expect(routes.methodsAt('/keys')).toEqual(['GET', 'POST']);
  expect(routes.methodsAt('/keys/current')).toEqual(['DELETE', 'GET', 'HEAD']);
});

test('a parameter is one path segment, and never an empty one', () => {
  expect(routes.methodsAt('/keys/key_1')).toEqual(['DELETE']);
  expect(routes.methodsAt('/keys/')).toEqual([]);
  expect(routes.methodsAt('/keys/key_1/x')).toEqual([]);
});

test('an address nobody serves answers nothing', () => {
  expect(routes.methodsAt('/kexs')).toEqual([]);
});
