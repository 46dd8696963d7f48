// What the reference says of /api/v1/pages.
import { PageSchema } from '@na/contracts';
import { listOf, thing } from '../openapi/answer.js';
import { at, exampleId } from '../openapi/examples.js';
import { operations, type Tag } from '../openapi/operation.js';

export const pagesTag: Tag = { name: 'Pages', description: 'The published pages whose readers are counted.' };

const page = thing('Page', 'A tracked page.', PageSchema, {
  id: exampleId('page'),
  workspaceId: exampleId('ws'),
  url: 'https://acme.notion.site/Pricing-1f0c',
  title: 'Pricing',
  timeZone: 'Europe/Berlin',
  verifiedAt: at('2026-03-01T12:05:00.000Z'),
  createdAt: at('2026-03-01T12:00:00.000Z'),
});

export const pageOperations = operations({
  create: {
    id: 'createPage',
    summary: 'Track a page',
    description: 'An address can be tracked once in a workspace.',
    answer: page,
    body: { url: 'https://acme.notion.site/Pricing-1f0c', title: 'Pricing', time_zone: 'Europe/Berlin' },
    problems: ['conflict'],
  },
  list: { id: 'listPages', summary: 'List tracked pages', answer: listOf(page), query: { limit: 25 } },
  get: { id: 'getPage', summary: 'Read a tracked page', answer: page },
});
