// Tells a connection that was kept for later, and that its server closed just as the next request was written, from one that
// its server broke because of the request. The first is nobody's failure: keep-alive can't avoid it (RFC 9112, 9.3.1).
import type { buildConnector } from 'undici';

const brokenAfterAnswers = new WeakSet<Error>();

/** Connector whose connections' errors are known to `hadAnswered`. */
export function noteAnswers(connect: buildConnector.connector): buildConnector.connector {
  return (target, callback) =>
    connect(target, (...[error, socket]) => {
      if (error) return callback(error, null);
      // A tunnel has had the proxy's answer by then.
      const readBefore = socket.bytesRead;
      // It is the same error that the request on it fails with.
      socket.once('error', (broken: Error) => {
        if (socket.bytesRead > readBefore) brokenAfterAnswers.add(broken);
      });
      return callback(null, socket);
    });
}

/** Whether the error is of a connection over which an answer had come before it broke. */
export function hadAnswered(error: unknown): boolean {
  return brokenAfterAnswers.has(error as Error);
}
