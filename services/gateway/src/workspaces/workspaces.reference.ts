// What the reference says of /api/v1/workspaces.
import { WorkspaceSchema } from '@na/contracts';
import { listOf, thing } from '../openapi/answer.js';
import { at, exampleId } from '../openapi/examples.js';
import { operations, type Tag } from '../openapi/operation.js';

export const workspacesTag: Tag = {
  name: 'Workspaces',
  description: 'Everything belongs to a workspace, and no key sees another one. Workspaces are made by the operator of the installation.',
};

const workspace = thing('Workspace', 'A workspace.', WorkspaceSchema, {
  id: exampleId('ws'),
  name: 'Acme',
  timeZone: 'Europe/Berlin',
  ownerEmails: ['ann@acme.example'],
  createdAt: at('2026-03-01T12:00:00.000Z'),
});

export const workspaceOperations = operations({
  create: {
    id: 'createWorkspace',
    summary: 'Create a workspace',
    answer: workspace,
    body: { name: 'Acme', time_zone: 'Europe/Berlin', owner_emails: ['ann@acme.example'] },
  },
  list: {
    id: 'listWorkspaces',
    summary: 'List workspaces',
    description: 'With a key: the one it belongs to, so that it can name it from then on. With the operator token: all of the installation.',
    answer: listOf(workspace),
    query: { limit: 25 },
  },
  get: { id: 'getWorkspace', summary: 'Read a workspace', answer: workspace },
  update: {
    id: 'updateWorkspace',
    summary: 'Change a workspace',
    description: 'A JSON merge patch (RFC 7396): what is not named stays, and null goes back to the default.',
    answer: workspace,
    body: { name: 'Acme Europe', owner_emails: ['ann@acme.example', 'ben@acme.example'] },
  },
  suspend: {
    id: 'suspendWorkspace',
    summary: 'Suspend a workspace',
    description: 'When this has answered, no gateway accepts a key of the workspace any more.',
    answer: workspace,
  },
  resume: { id: 'resumeWorkspace', summary: 'Resume a suspended workspace', answer: workspace },
});
