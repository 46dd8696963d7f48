/** The ways in which somebody asks the launcher to stop: a signal, or the end of whoever started it or listened to it. */
export interface StopRequests {
  /** Resolves with who asked. */
  requested: Promise<string>;
  /** Resolves when somebody asks again: they want it at once. */
  repeated: Promise<string>;
}

const parentPollMs = 500;
/** Ctrl-C often arrives twice, from the terminal and from npm: only what comes later than this is a second one. */
const echoMs = 1_000;

export function stopRequests(): StopRequests {
  const requested = Promise.withResolvers<string>();
  const repeated = Promise.withResolvers<string>();
  let firstAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (firstAt !== undefined && now - firstAt > echoMs) repeated.resolve(signal);
      firstAt ??= now;
      requested.resolve(signal);
    });
  }
  // As in `npm start | head`.
  process.stdout.on('error', () => requested.resolve('nobody reads what it says any more'));
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) requested.resolve('the process that started this one ended');
  }, parentPollMs).unref();
  return { requested: requested.promise, repeated: repeated.promise };
}
