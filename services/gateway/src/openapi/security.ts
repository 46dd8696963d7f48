// Who may call an operation, in the words of OpenAPI. Pure.
import type { JsonObject } from '@na/contracts';
import type { Access } from '../auth/access.js';
import { hasScope } from '../auth/principal.js';

export const securitySchemes: Record<string, JsonObject> = {
  apiKey: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'nak_…',
    description: 'An API key of a workspace: `Authorization: Bearer nak_…`. What it may do is given by its scopes; each operation names the one it needs.',
  },
  operatorToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The token of the operator of this installation, in place of an API key: for setting up workspaces and their first keys.',
  },
};

export interface DescribedAccess {
  security: JsonObject[];
  /** For people, in one sentence. */
  sentence: string;
  /** For programs. */
  'x-required-scope'?: string;
}

export function describeAccess(access: Access): DescribedAccess {
  switch (access.kind) {
    case 'public':
      return { security: [], sentence: 'Needs no key.' };
    case 'operator':
      return { security: [{ operatorToken: [] }], sentence: 'For the operator of the installation only.' };
    case 'any_key':
      return { security: [{ apiKey: [] }, { operatorToken: [] }], sentence: 'Any key may do this.' };
    case 'scope': {
      const { scope } = access;
      const isOperators = hasScope({ kind: 'operator' }, scope);
      const sentence = `Needs the scope \`${scope}\`${isOperators ? ', or the operator token' : ''}.`;
      return { security: [{ apiKey: [] }, ...(isOperators ? [{ operatorToken: [] }] : [])], sentence, 'x-required-scope': scope };
    }
  }
}
