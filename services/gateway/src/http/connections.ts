// What is in hand on each connection. By it a stop neither cuts an answer off nor waits for who asks nothing: to Node.js a
// connection that never sent a byte is not idle, and from `server.close()` on it enforces no time limit. And by it nothing is
// written on a connection out of turn.
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export class Connections {
  private readonly open = new Map<Socket, Set<ServerResponse>>();
  private isEnding = false;

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.add(socket));
    server.on('request', ({ socket }, response) => this.expectAnswer(socket, response));
  }

  /**
   * Ends the connections on which no request is in hand, which one is from the end of its head on; the others once they are answered.
   * @param withinMs when those end that are not answered by then, such as who sends half a body or does not take the answer
   */
  end(server: Server, withinMs: number): void {
    this.isEnding = true;
    for (const [socket, inHand] of this.open) if (inHand.size === 0) socket.destroy();
    const late = setTimeout(() => this.destroyAll(), withinMs);
    server.once('close', () => clearTimeout(late));
  }

  /** Whether the client would take what is written on the connection now for the answer to another request, or for a part of it. */
  owesAnswer(socket: Socket): boolean {
    return [...(this.open.get(socket) ?? [])].some((response) => response.headersSent || response.req.complete);
  }

  private add(socket: Socket): void {
    // Accepted by the kernel before the server had stopped listening.
    if (this.isEnding) return void socket.destroy();
    this.open.set(socket, new Set());
    socket.once('close', () => this.open.delete(socket));
  }

  private expectAnswer(socket: Socket, response: ServerResponse): void {
    const inHand = this.open.get(socket);
    inHand?.add(response);
    response.once('close', () => {
      inHand?.delete(response);
      if (this.isEnding && inHand?.size === 0) socket.destroySoon();
    });
  }

  private destroyAll(): void {
    for (const socket of this.open.keys()) socket.destroy();
  }
}
