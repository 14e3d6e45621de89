// node:fs and node:os for packages that reach services by HTTP: a machine with no files, of which nothing is told. Their settings are
// looked for in files, and what isn't there isn't needed.
import { failure } from './data';
import { make as idle } from './idle';

const g: any = globalThis;

const absent = (call: string, path: unknown) =>
  Object.assign(failure(Error, 'ENOENT', `ENOENT: no such file or directory, ${call} '${String(path)}': activities have no files`), { errno: -2, syscall: call, path });
const readOnly = (call: string, path: unknown) =>
  Object.assign(failure(Error, 'EROFS', `EROFS: read-only file system, ${call} '${String(path)}': activities have no files`), { errno: -30, syscall: call, path });

// The operations that take a path, with the system's name for them.
const reading: Record<string, string> = {
  access: 'access', lstat: 'lstat', open: 'open', opendir: 'opendir', readFile: 'open', readdir: 'scandir', readlink: 'readlink', realpath: 'realpath', stat: 'stat', unlink: 'unlink', rmdir: 'rmdir',
};
const writing: Record<string, string> = { appendFile: 'open', copyFile: 'copyfile', mkdir: 'mkdir', mkdtemp: 'mkdtemp', rename: 'rename', writeFile: 'open' };
const constants = { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024 };

export function files(refusal: string, streams: () => any): { fs: any; promises: any } {
  const promises: any = Object.assign(idle(refusal), { constants });
  const fs: any = Object.assign(idle(refusal), { constants, ...constants, promises, existsSync: () => false });
  for (const [operations, problem] of [[reading, absent], [writing, readOnly]] as const) {
    for (const [name, call] of Object.entries(operations)) {
      promises[name] = async (path: unknown) => {
        throw problem(call, path);
      };
      fs[name] = (path: unknown, ...rest: any[]) => {
        const callback = rest[rest.length - 1];
        if (typeof callback !== 'function') throw failure(TypeError, 'ERR_INVALID_ARG_TYPE', 'The "cb" argument must be of type function. Received undefined');
        g.setTimeout(() => callback(problem(call, path)), 0);
      };
      fs[`${name}Sync`] = (path: unknown, options: any) => {
        if (options?.throwIfNoEntry === false) return undefined;
        throw problem(call, path);
      };
    }
  }
  fs.exists = (_: unknown, callback: (is: boolean) => void) => void g.setTimeout(() => callback(false), 0);
  const failing = (kind: string, problem: (call: string, path: unknown) => Error) => (path: unknown) => {
    const stream = new (streams()[kind])({ read() {}, write: (_: any, __: any, done: any) => done() });
    g.process.nextTick(() => stream.destroy(problem('open', path)));
    return stream;
  };
  fs.createReadStream = failing('Readable', absent);
  fs.createWriteStream = failing('Writable', readOnly);
  return { fs, promises };
}

export const system = () => ({
  EOL: '\n', devNull: '/dev/null', arch: () => 'x64', platform: () => 'linux', type: () => 'Linux', release: () => '', version: () => '', machine: () => 'x86_64', hostname: () => 'localhost',
  homedir: () => '/', tmpdir: () => '/tmp', endianness: () => 'LE', cpus: () => [], availableParallelism: () => 1, loadavg: () => [0, 0, 0], totalmem: () => 0, freemem: () => 0,
  uptime: () => 0, networkInterfaces: () => ({}), userInfo: () => ({ uid: -1, gid: -1, username: '', homedir: '/', shell: null }), constants: { signals: {}, errno: {} },
});
