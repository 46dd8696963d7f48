// Which methods each address answers, so that a wrong method is told from a wrong address.

export class RouteTable {
  private readonly routes: { pattern: RegExp; methods: string[] }[] = [];

  /** @param url as routes are written, with `:name` for one path segment */
  add({ url, method }: { url: string; method: string | string[] }): void {
    this.routes.push({ pattern: new RegExp(`^${url.replace(/:[^/]+/g, '[^/]+')}$`), methods: [method].flat() });
  }

  methodsAt(path: string): string[] {
    const methods = this.routes.filter(({ pattern }) => pattern.test(path)).flatMap((route) => route.methods);
    return [...new Set(methods)].sort();
  }
}
