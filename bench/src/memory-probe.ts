// Loaded into a process under test by `--import`: tells over IPC how much memory it holds, garbage not counted.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { memoryRequest } from './memory-request.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

process.on('message', (message) => {
  if (message !== memoryRequest) return;
  collectGarbage();
  process.send!(process.memoryUsage());
});
// Listening must not keep alive what wants to end.
process.channel?.unref();
