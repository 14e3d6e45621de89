import { fault, isString, wrongType } from './errors';

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
  const theirs = require('url/');
  return {
    ...theirs,
    parse(url: any, ...rest: any[]) {
      if (!(url instanceof theirs.Url)) isString(url, 'url');
      return theirs.parse(url, ...rest);
    },
    format(url: any, { fragment = true, unicode = false, search = true, auth = true } = {}) {
      if (url === null || (typeof url !== 'object' && typeof url !== 'string')) throw wrongType('urlObject', 'one of type object or string', url);
      if (!(url instanceof URL)) return theirs.format(url);
      const copy = new URL(url.href);
      if (!fragment) copy.hash = '';
      if (!search) copy.search = '';
      if (!auth) copy.username = copy.password = '';
      return unicode && copy.hostname !== '' ? copy.href.replace(copy.hostname, require('punycode/punycode.js').toUnicode(copy.hostname)) : copy.href;
    },
    URL,
    URLSearchParams,
    domainToASCII: host,
    domainToUnicode: (domain: string) => require('punycode/punycode.js').toUnicode(host(domain)),
    fileURLToPath(url: any) {
      if (typeof url !== 'string' && !(url instanceof URL)) throw wrongType('path', 'of type string or an instance of URL', url);
      const u = new URL(String(url));
      if (u.protocol !== 'file:') throw fault(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
      if (u.hostname !== '') throw fault(TypeError, 'ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux');
      if (/%2f/i.test(u.pathname)) throw fault(TypeError, 'ERR_INVALID_FILE_URL_PATH', 'File URL path must not include encoded / characters');
      return decodeURIComponent(u.pathname);
    },
    pathToFileURL: (path: string) => new URL('file://' + require('./path').path.resolve('/', path).split('/').map(encodeURIComponent).join('/')),
    urlToHttpOptions: (u: any) => ({
      protocol: u.protocol, hostname: u.hostname, hash: u.hash, search: u.search, pathname: u.pathname, path: u.pathname + u.search, href: u.href,
      ...(u.port !== '' && { port: Number(u.port) }),
      ...((u.username || u.password) && { auth: `${decodeURIComponent(u.username)}:${decodeURIComponent(u.password)}` }),
    }),
  };
}
