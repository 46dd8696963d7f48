// What a benchmark asks a process over IPC that has the memory probe loaded.
export const memoryRequest = 'memory';
