// Shows the API reference with Swagger UI. Who has given a key under "Authorize" need not look for its workspace: it is asked
// for, and filled in wherever X-Workspace-Id is wanted.
const baseUrl = new URL('..', document.baseURI);
const apiUrl = new URL('api/v1/', baseUrl);

async function showReference() {
  const answer = await fetch(new URL('openapi.json', apiUrl));
  const description = forTrying(await answer.json());
  const ui = window.SwaggerUIBundle({
    spec: description,
    dom_id: '#reference',
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: 'list',
    filter: true,
    defaultModelsExpandDepth: 0,
    persistAuthorization: false,
    presets: [window.SwaggerUIBundle.presets.apis],
    plugins: [() => ({ statePlugins: { auth: { wrapActions: { authorize: fillInWorkspace } } } })],
  });

  function fillInWorkspace(authorize) {
    return (credentials) => {
      const result = authorize(credentials);
      const token = credentials.apiKey?.value;
      if (token) void workspaceOf(token).then((id) => id && ui.specActions.updateJsonSpec(withWorkspace(description, id)));
      return result;
    };
  }
}

/**
 * Tried out is the gateway that this page comes from, by whatever name it was reached. Swagger UI sends the examples of
 * parameters as they are, and most would be in the way: filters that nothing passes, one Idempotency-Key for all requests.
 */
function forTrying(description) {
  const server = { url: baseUrl.href.replace(/\/$/, '') };
  const withoutExamples = JSON.stringify(description, (_key, value) => {
    if (!value?.in || !value.name || value.required) return value;
    const { example: _, ...parameter } = value;
    return parameter;
  });
  return { ...JSON.parse(withoutExamples), servers: [server] };
}

/** The one that a key belongs to, or undefined: a key that is not valid is told of when it is used. */
async function workspaceOf(token) {
  const answer = await fetch(new URL('workspaces', apiUrl), { headers: { authorization: `Bearer ${token}` } });
  return answer.ok ? (await answer.json()).data[0].id : undefined;
}

function withWorkspace(description, id) {
  const parameters = Object.entries(description.components.parameters).map(([name, parameter]) => [
    name,
    parameter.name === 'X-Workspace-Id' ? { ...parameter, example: id } : parameter,
  ]);
  return { ...description, components: { ...description.components, parameters: Object.fromEntries(parameters) } };
}

void showReference();
