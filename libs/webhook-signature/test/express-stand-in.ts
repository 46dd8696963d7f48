// Express is not installed here. This does on a server of Node what the README's example asks of Express, and as Express 5
// does it: above all, there is no body but what `express.raw` has read, and that is of its type alone.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

type Request = IncomingMessage & { body?: unknown };
type Response = ServerResponse & { status: (code: number) => Response; send: (text: string) => Response };
type Handler = (request: Request, response: Response, next: () => unknown) => unknown;

/** @returns what `express` exports, and the servers of its apps, which listen on free ports whatever they are told */
export function expressStandIn() {
  const servers: Server[] = [];
  const express = () => {
    const routes = new Map<string, Handler[]>();
    const server = createServer((request, response) => void handle(routes.get(`${request.method} ${request.url}`) ?? [], request, withMethods(response)));
    servers.push(server);
    const post = (path: string, ...handlers: Handler[]) => routes.set(`POST ${path}`, handlers);
    return { post, listen: () => server.listen(0, '127.0.0.1') };
  };
  return { module: Object.assign(express, { raw }), servers };
}

function raw({ type }: { type: string }): Handler {
  return async (request, _response, next) => {
    if (request.headers['content-type']?.split(';')[0] !== type) return next();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    request.body = Buffer.concat(chunks);
    return next();
  };
}

/** Each handler calls the next, or answers. */
function handle([handler, ...others]: Handler[], request: Request, response: Response): unknown {
  return handler ? handler(request, response, () => handle(others, request, response)) : response.status(404).send('Not Found');
}

function withMethods(plain: ServerResponse): Response {
  const response: Response = Object.assign(plain, {
    status: (code: number) => Object.assign(response, { statusCode: code }),
    send: (text: string) => response.end(text),
  });
  return response;
}
