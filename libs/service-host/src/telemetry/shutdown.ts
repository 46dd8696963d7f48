// Flushes telemetry at the end of a process. The SDK is started by `--import`, in a module graph of its own, and leaves
// its shutdown under a well-known symbol.
export async function shutdownTelemetry(): Promise<void> {
  const shutdown = (globalThis as { [key: symbol]: unknown })[Symbol.for('na.telemetry.shutdown')];
  if (typeof shutdown === 'function') await shutdown();
}
