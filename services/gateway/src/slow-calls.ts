// How long the gateway waits for the calls that may take longer than a call should.

/** For what makes a key or a workspace narrower, milliseconds: it answers once every gateway goes by it, or its lease of a few seconds is over. */
export const barrierMs = 15_000;

/**
 * For what counts in the delivery table, milliseconds: the dispatcher waits 2 s for its replicas to go by a change, and stops waiting for
 * its turn and counting after 10 s more.
 */
export const countingMs = 15_000;
