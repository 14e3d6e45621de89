// util.inspect and util.format: Node's own, as a package.
declare const require: (name: string) => any;

let made: any;
const theirs = () => (made ??= require('node-inspect-extracted'));

export const inspect: any = (value: unknown, ...options: any[]) => theirs().inspect(value, ...options);
export const words = theirs;
