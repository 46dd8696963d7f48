// Flushes telemetry at the end of a process. The SDK is started by `--import`, in a module graph of its own, and leaves
// its shutdown under a well-known symbol.
export async function shutdownTelemetry(): Promise<void> {
  const registry = globalThis as { [key: symbol]: (() => Promise<void>) | undefined };
  await registry[Symbol.for('na.telemetry.shutdown')]?.();
}
