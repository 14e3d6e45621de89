import * as activity from '@temporalio/activity';
import * as core from './core';
import { host } from './host';

const full = (): any => host.common().resolve('@temporalio/common');

// @temporalio/common, with what is here already taken from here. instanceof holds between the two: the package compares its
// failures by a symbol.
const lazyCommon: unknown = new Proxy(
  {},
  {
    get: (_, key) => (key === '__esModule' ? true : key in core ? (core as any)[key] : full()[key]),
    has: (_, key) => key in core || key in full(),
    ownKeys: () => Reflect.ownKeys(full()),
    getOwnPropertyDescriptor(_, key) {
      if (!(key in full())) return undefined;
      return { value: key in core ? (core as any)[key] : full()[key], enumerable: true, configurable: true, writable: false };
    },
  }
);

/** The require function of activity modules. */
export function resolve(name: string): unknown {
  const asked = String(name).replace(/\.js$/, '');
  if (asked === '@temporalio/activity') return activity;
  if (asked === '@temporalio/common') return lazyCommon;
  return host.common().resolve(asked);
}
