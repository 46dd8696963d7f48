import { expect, test } from '@jest/globals';
import { meaningOf, SendFailure } from './send-error.js';

const failure = (facts: { code?: string; syscall?: string; message?: string; cause?: unknown }) => Object.assign(new Error(facts.message), facts);

test.each([
  ['ENOTFOUND', 'dns_error'],
  ['EAI_AGAIN', 'dns_error'],
  ['ECONNREFUSED', 'connection_refused'],
  ['ECONNRESET', 'connection_reset'],
  ['UND_ERR_SOCKET', 'connection_reset'],
  ['EHOSTUNREACH', 'host_unreachable'],
  ['ENETUNREACH', 'host_unreachable'],
  ['CERT_HAS_EXPIRED', 'tls_error'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_error'],
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
  ['UND_ERR_HEADERS_OVERFLOW', 'response_too_large'],
  ['EWHATEVER', 'network_error'],
])('%s is shown as %s', (code, meaning) => {
  expect(meaningOf(failure({ code }))).toBe(meaning);
});

test.each(['ENOTFOUND', 'ETIMEOUT', 'ESERVFAIL', 'ECANCELLED', 'ECONNREFUSED'])('%s of a name server is an error of DNS', (code) => {
  expect(meaningOf(failure({ code, syscall: 'queryAaaa' }))).toBe('dns_error');
});

test('a host with several addresses fails like the first of them', () => {
  expect(meaningOf(new AggregateError([failure({ code: 'ECONNREFUSED' }), failure({ code: 'ENETUNREACH' })]))).toBe('connection_refused');
});

test('an error that says nothing itself means what its cause means', () => {
  expect(meaningOf(failure({ cause: failure({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }) }))).toBe('tls_error');
});

test('what was found here means what it was called', () => {
  expect(meaningOf(new SendFailure('proxy_error', 'the proxy answered with 407'))).toBe('proxy_error');
});

test('an answer that nobody asked for is no HTTP, although it comes as a broken socket', () => {
  expect(meaningOf(failure({ code: 'UND_ERR_SOCKET', message: 'bad response' }))).toBe('malformed_response');
});

test('a length that was not kept is a broken connection once the head is there, and no HTTP before', () => {
  const mismatch = failure({ code: 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' });
  expect([meaningOf(mismatch, true), meaningOf(mismatch, false)]).toEqual(['connection_reset', 'malformed_response']);
});
