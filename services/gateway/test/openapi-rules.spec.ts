// What linters of OpenAPI say of the document. Loading them takes longer than all the rest: they have a file of their own.
import { expect, test } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import spectral, { type RulesetDefinition } from '@stoplight/spectral-core';
import spectralRulesets from '@stoplight/spectral-rulesets';
import { controllers } from '../src/controllers.js';
import { describeApi } from '../src/openapi/document.js';

const document = describeApi(controllers, 'https://analytics.acme.dev/api-platform');

test("the document passes Redocly's recommended rules, its examples included", async () => {
  const config = await createConfig({ extends: ['recommended'] });
  const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: '/openapi.json', config });
  expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual([]);
});

test("the document passes Spectral's recommended rules, the schema of OpenAPI 3.1 among them", async () => {
  const linter = new spectral.Spectral();
  // The types of the two packages have drifted apart.
  linter.setRuleset({ extends: [[spectralRulesets.oas as unknown as RulesetDefinition, 'recommended']] });
  const problems = await linter.run(document);
  expect(problems.map(({ code, message, path }) => `${code}: ${message} ${path.join('/')}`)).toEqual([]);
});
