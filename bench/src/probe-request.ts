// What a benchmark asks a process over IPC that has the probe loaded, and what it is answered.

/**
 * `memory`: see process.memoryUsage, garbage not counted. `loop`: how late its event loop was since it was asked last. `profile`:
 * a CPU profile of what it does until the next such request, which is answered with it.
 */
export type ProbeRequest = 'memory' | 'loop' | 'profile';

/** Milliseconds. */
export interface LoopDelay {
  p50: number;
  p99: number;
  max: number;
}
