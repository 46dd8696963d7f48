// Whose turn it is. Workspaces take turns, and within each its endpoints do: who has many gets no more than who has one.

export class EndpointTurns {
  /** Endpoints by workspace. Who is next stands first. */
  private readonly waiting = new Map<string, string[]>();

  /** At the end, unless it waits already. */
  add(workspaceId: string, endpointId: string): void {
    const endpoints = this.waiting.get(workspaceId);
    if (!endpoints) this.waiting.set(workspaceId, [endpointId]);
    else if (!endpoints.includes(endpointId)) endpoints.push(endpointId);
  }

  /** The endpoint whose turn it is. It waits no longer, and its workspace comes last. */
  next(): string | undefined {
    for (const [workspaceId, endpoints] of this.waiting) {
      const endpointId = endpoints.shift()!;
      this.waiting.delete(workspaceId);
      if (endpoints.length > 0) this.waiting.set(workspaceId, endpoints);
      return endpointId;
    }
    return undefined;
  }
}
