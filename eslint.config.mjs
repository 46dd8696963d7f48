// Lint rules: those of typescript-eslint that need types, the boundaries between projects, and the house's own limits.
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const boundaries = {
  enforceBuildableLibDependency: false,
  allowCircularSelfDependency: false,
  // What tests stand on is built from these libraries, and their own tests stand on it; production code has no circle.
  ignoredCircularDependencies: [
    ['messaging', 'testing'],
    ['outbox', 'testing'],
    ['service-host', 'testing'],
  ],
  depConstraints: [
    { sourceTag: 'type:service', onlyDependOnLibsWithTags: ['type:lib', 'type:contracts', 'type:testing'] },
    { sourceTag: 'type:lib', onlyDependOnLibsWithTags: ['type:lib', 'type:contracts', 'type:testing'] },
    { sourceTag: 'type:contracts', onlyDependOnLibsWithTags: [] },
    { sourceTag: 'type:testing', onlyDependOnLibsWithTags: ['type:lib', 'type:contracts', 'type:tool'] },
    { sourceTag: 'type:bench', onlyDependOnLibsWithTags: ['type:lib', 'type:contracts', 'type:tool'] },
    { sourceTag: 'type:tool', onlyDependOnLibsWithTags: [] },
  ],
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', 'libs/contracts/src/gen/**', '.nx/**', '.data/**', '.tools/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': ['error', boundaries],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/require-await': 'off',
      // Numbers and booleans in messages are what templates are for.
      '@typescript-eslint/restrict-template-expressions': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    // Only tests may stand on the testing library: production code that did would carry it along.
    files: ['services/*/src/**/*.ts', 'libs/!(testing)/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { paths: [{ name: '@na/testing', message: 'Only tests import @na/testing.' }] }] },
  },
  {
    // Programs that people run in a terminal: what they print is their purpose.
    files: ['deploy/local/src/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.spec.ts', '**/test/**/*.ts', 'libs/testing/src/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off', // parsed JSON of the system under test
      '@typescript-eslint/no-unsafe-member-access': 'off', // the same
      '@typescript-eslint/no-unsafe-return': 'off', // the same
      '@typescript-eslint/no-unsafe-argument': 'off', // the same
      '@typescript-eslint/no-unsafe-call': 'off', // the same
    },
  },
);
