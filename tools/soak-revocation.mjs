// `npm run soak:revocation`: the revocation tests with a thousand keys (NA_REVOCATIONS) where npm test takes 150.
process.env.NA_REVOCATIONS ??= '1000';
process.argv.push('--selectProjects', 'gateway', '--testPathPatterns', 'revocation.system');
await import('../deploy/local/src/test.ts');
