// Whether this process records traces. Of one that nobody records only the id has to travel, which needs no span at each step.

export const areTracesRecorded = (process.env.OTEL_TRACES_EXPORTER ?? 'none') !== 'none';
