// What the run's set-up and the test files must agree on.
export const templateName = 'na_template';

/** Roles belong to the cluster, so all databases of a run share these. */
export const testPasswords = {
  gateway: 'test-gateway',
  'key-management': 'test-key-management',
  reporting: 'test-reporting',
  'webhook-dispatcher': 'test-webhook-dispatcher',
};
