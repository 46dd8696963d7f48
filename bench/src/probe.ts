// Loaded into a process under test by `--import`: tells over IPC how much memory it holds, how late its event loop is, and
// what it does with its time.
import { Session } from 'node:inspector/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LoopDelay, ProbeRequest } from './probe-request.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const resolutionMs = 1;
const delays = monitorEventLoopDelay({ resolution: resolutionMs });
delays.enable();

let profiler: Session | undefined;

const answers: Record<ProbeRequest, () => object | Promise<object>> = {
  memory: () => {
    collectGarbage();
    return process.memoryUsage();
  },
  loop: () => {
    // It notes the whole time from one look to the next.
    const late = (nanoseconds: number) => nanoseconds / 1e6 - resolutionMs;
    const delay: LoopDelay = { p50: late(delays.percentile(50)), p99: late(delays.percentile(99)), max: late(delays.max) };
    delays.reset();
    return delay;
  },
  profile: async () => {
    if (profiler) {
      const { profile } = await profiler.post('Profiler.stop');
      profiler.disconnect();
      profiler = undefined;
      return profile;
    }
    profiler = new Session();
    profiler.connect();
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.start');
    return {};
  },
};

process.on('message', (message: ProbeRequest) => {
  void Promise.resolve(answers[message]()).then((answer) => process.send!(answer));
});
// Listening must not keep alive what wants to end.
process.channel?.unref();
