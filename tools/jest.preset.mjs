// How every project's tests run: native ES modules, TypeScript through swc with the decorator metadata that Nest and
// TypeORM read. The swc options stand here because a .swcrc would be looked up from the working directory.

const swc = {
  jsc: {
    target: 'es2024',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

export function projectPreset(displayName, rootDir) {
  return {
    displayName,
    rootDir,
    testEnvironment: 'node',
    testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/test/**/*.spec.ts'],
    extensionsToTreatAsEsm: ['.ts'],
    transform: { '^.+\\.ts$': ['@swc/jest', swc] },
    moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'] },
    testEnvironmentOptions: { customExportConditions: ['@na/source', 'node', 'node-addons'] },
    modulePathIgnorePatterns: ['<rootDir>/dist/'],
  };
}
