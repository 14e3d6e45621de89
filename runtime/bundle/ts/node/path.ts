// node:path. The package knows its rules for POSIX as they were before some were mended, and no others.
import { isObject, isString } from './errors';

declare const require: (name: string) => any;

function make(): any {
  const theirs = require('path-browserify');
  const strings = (name: string, ...names: string[]) => (...given: any[]) => {
    names.forEach((argument, i) => isString(given[i], argument));
    return theirs[name](...given);
  };
  const numbered = (name: string, argument: (i: number) => string) => (...given: any[]) => {
    given.forEach((path, i) => isString(path, argument(i)));
    return theirs[name](...given);
  };
  const posix: any = {
    resolve: numbered('resolve', (i) => `paths[${i}]`),
    normalize: strings('normalize', 'path'),
    isAbsolute: strings('isAbsolute', 'path'),
    join: numbered('join', () => 'path'),
    relative: strings('relative', 'from', 'to'),
    toNamespacedPath: (path: unknown) => path,
    dirname: strings('dirname', 'path'),
    basename(path: any, suffix?: any) {
      if (suffix !== undefined) isString(suffix, 'suffix');
      isString(path, 'path');
      return theirs.basename(path, suffix);
    },
    extname: strings('extname', 'path'),
    format(path: any) {
      isObject(path, 'pathObject');
      const dir = path.dir || path.root;
      const base = path.base || `${path.name || ''}${path.ext ? `${path.ext[0] === '.' ? '' : '.'}${path.ext}` : ''}`;
      return !dir ? base : dir === path.root ? `${dir}${base}` : `${dir}/${base}`;
    },
    parse: strings('parse', 'path'),
    sep: '/',
    delimiter: ':',
  };
  posix._makeLong = posix.toNamespacedPath;
  return Object.assign(posix, { posix, win32: windows(posix) });
}

// Code on Linux asks Windows' rules for little: names, ends and parts of paths that come from there.
function windows(posix: any): any {
  const split = (path: string) => {
    const [, root = '', rest = ''] = /^((?:[A-Za-z]:[\\/]?|[\\/]{2}[^\\/]+[\\/]+[^\\/]+[\\/]?|[\\/])?)([\s\S]*)$/.exec(path)!;
    return { root: root.replace(/\//g, '\\'), rest };
  };
  // POSIX's rules on what is behind the root, whose separators are told from a name's own backslash by there being none.
  const behind = (path: string, f: (rest: string) => string) => {
    const { root, rest } = split(path);
    return root + f((/[\\]$/.test(root) ? '/' : '') + rest.replace(/\\/g, '/')).replace(/\//g, '\\').replace(/^\\/, /[\\]$/.test(root) ? '' : '\\');
  };
  const win32: any = {
    sep: '\\',
    delimiter: ';',
    isAbsolute(path: any) {
      isString(path, 'path');
      return /^(?:[\\/]|[A-Za-z]:[\\/])/.test(path);
    },
    normalize(path: any) {
      isString(path, 'path');
      return path === '' ? '.' : behind(path, (rest) => (rest === '' ? '' : posix.normalize(rest)));
    },
    join(...paths: any[]) {
      paths.forEach((path) => isString(path, 'path'));
      const joined = paths.filter((path) => path !== '').join('\\');
      return joined === '' ? '.' : win32.normalize(joined);
    },
    basename(path: any, suffix?: any) {
      if (suffix !== undefined) isString(suffix, 'suffix');
      isString(path, 'path');
      return posix.basename(split(path).rest.replace(/\\/g, '/'), suffix);
    },
    extname(path: any) {
      isString(path, 'path');
      return posix.extname(split(path).rest.replace(/\\/g, '/'));
    },
    dirname(path: any) {
      isString(path, 'path');
      const { root, rest } = split(path);
      const dir = posix.dirname(rest.replace(/\\/g, '/'));
      return root === '' ? dir.replace(/\//g, '\\') : dir === '.' ? root : root + dir.replace(/\//g, '\\');
    },
    parse(path: any) {
      isString(path, 'path');
      const base = win32.basename(path);
      const ext = posix.extname(base);
      const { root, rest } = split(path);
      const dir = win32.dirname(path);
      return { root, dir: rest.replace(/[\\/]+$/, '') === base ? root : dir, base, ext, name: base.slice(0, base.length - ext.length) };
    },
    format: (path: any) => posix.format(path).replace(/\//g, '\\'),
    resolve(...paths: any[]) {
      paths.forEach((path, i) => isString(path, `paths[${i}]`));
      const from = paths.findLastIndex((path) => win32.isAbsolute(path));
      const resolved = win32.normalize(paths.slice(Math.max(from, 0)).filter((path) => path !== '').join('\\') || '\\');
      return /[^\\:]\\$/.test(resolved) ? resolved.slice(0, -1) : resolved;
    },
    relative(from: any, to: any) {
      isString(from, 'from');
      isString(to, 'to');
      const [a, b] = [win32.resolve(from), win32.resolve(to)];
      if (split(a).root.toLowerCase() !== split(b).root.toLowerCase()) return b;
      const plain = (path: string) => '/' + split(path).rest.replace(/\\/g, '/');
      return posix.relative(plain(a), plain(b)).replace(/\//g, '\\');
    },
    toNamespacedPath: (path: unknown) => path,
  };
  win32._makeLong = win32.toNamespacedPath;
  return Object.assign(win32, { posix, win32 });
}

export const path = make();
