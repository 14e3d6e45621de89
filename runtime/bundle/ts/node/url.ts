declare const require: (name: string) => any;

export function make(): any {
  const { URL, URLSearchParams } = globalThis as any;
  const host = (domain: string) => {
    try {
      return new URL(`http://${domain}`).hostname as string;
    } catch {
      return '';
    }
  };
  return {
    ...require('url/'),
    URL,
    URLSearchParams,
    domainToASCII: host,
    domainToUnicode: (domain: string) => require('punycode/punycode.js').toUnicode(host(domain)),
    fileURLToPath(url: any) {
      const u = new URL(String(url));
      if (u.protocol !== 'file:') throw Object.assign(new TypeError('The URL must be of scheme file'), { code: 'ERR_INVALID_URL_SCHEME' });
      return decodeURIComponent(u.pathname);
    },
    pathToFileURL: (path: string) => new URL('file://' + require('path-browserify').resolve('/', path).split('/').map(encodeURIComponent).join('/')),
    urlToHttpOptions: (u: any) => ({
      protocol: u.protocol, hostname: u.hostname, hash: u.hash, search: u.search, pathname: u.pathname, path: u.pathname + u.search, href: u.href,
      ...(u.port !== '' && { port: Number(u.port) }),
    }),
  };
}
