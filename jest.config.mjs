import { availableParallelism } from 'node:os';

export default {
  projects: ['<rootDir>/libs/*/jest.config.mjs', '<rootDir>/services/*/jest.config.mjs', '<rootDir>/tools/*/jest.config.mjs', '<rootDir>/deploy/*/jest.config.mjs'],
  globalSetup: '<rootDir>/libs/testing/src/jest/global-setup.mjs',
  globalTeardown: '<rootDir>/libs/testing/src/jest/global-teardown.mjs',
  reporters: ['default', '<rootDir>/tools/jest-summary.mjs'],
  testTimeout: 30_000,
  // Suites wait for servers and clocks for a good part of their time: one more than there are cores.
  maxWorkers: availableParallelism() + 1,
};
