/** The public API as an integrator calls it: JSON over HTTP with a key. */

export interface PublicApi {
  /** The same key in the context of a workspace. */
  in(workspaceId: string): PublicApi;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: object): Promise<T>;
}

/** Every call throws with the API's own answer when that is not a success. */
export function publicApi(gatewayUrl: string, token: string, workspaceId?: string): PublicApi {
  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${gatewayUrl}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(workspaceId === undefined ? {} : { 'x-workspace-id': workspaceId }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} /api/v1${path} was answered with ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  }
  return {
    in: (id) => publicApi(gatewayUrl, token, id),
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
  };
}
