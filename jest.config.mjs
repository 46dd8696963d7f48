export default {
  projects: ['<rootDir>/libs/*/jest.config.mjs', '<rootDir>/services/*/jest.config.mjs'],
  globalSetup: '<rootDir>/libs/testing/src/jest/global-setup.mjs',
  globalTeardown: '<rootDir>/libs/testing/src/jest/global-teardown.mjs',
  reporters: ['default', '<rootDir>/tools/jest-summary.mjs'],
  testTimeout: 30_000,
  // Suites wait for servers and clocks as much as they compute: one for each core, where Jest would leave a core idle.
  maxWorkers: '100%',
};
