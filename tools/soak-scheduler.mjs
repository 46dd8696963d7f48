// `npm run soak:scheduler [-- <runs>]`: the scheduler's property test over many more scenarios than `npm test` plays, 500
// unless told. A failure prints the seed and the path that play it again: see scheduler.property.spec.ts.
process.env.SCHEDULER_RUNS = process.argv[2] ?? '500';
process.argv.splice(2, Infinity, '--selectProjects', 'webhook-dispatcher', '--testPathPatterns', 'scheduler.property');
await import('../deploy/local/src/test.ts');
