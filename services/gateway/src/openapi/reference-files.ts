// The files of the reference page: those of Swagger UI that it needs, and our own. Read once, at the start; nothing that a
// client says ever becomes a path.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { FixedContent } from './fixed-content.js';

/** Both change with a release only, and are then asked for again with their ETag. */
const pageCaching = 'public, no-cache';
const fileCaching = 'public, max-age=3600';

const javascript = 'text/javascript; charset=utf-8';
const css = 'text/css; charset=utf-8';

const swaggerUi = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const own = join(import.meta.dirname, '../../static/reference');

export const referencePage = new FixedContent('text/html; charset=utf-8', readFileSync(join(own, 'index.html')), pageCaching);

export const referenceFiles: ReadonlyMap<string, FixedContent> = new Map([
  ['reference.js', file(own, 'reference.js', javascript)],
  ['reference.css', file(own, 'reference.css', css)],
  ['swagger-ui-bundle.js', file(swaggerUi, 'swagger-ui-bundle.js', javascript)],
  ['swagger-ui.css', file(swaggerUi, 'swagger-ui.css', css)],
  ['favicon-32x32.png', file(swaggerUi, 'favicon-32x32.png', 'image/png')],
]);

function file(folder: string, name: string, type: string): FixedContent {
  return new FixedContent(type, readFileSync(join(folder, name)), fileCaching);
}
