import * as activity from '@temporalio/activity';
import * as core from './core';
import { host } from './host';

const full = (): any => host.common().resolve('@temporalio/common');

// @temporalio/common, with what is here already taken from here. instanceof holds between the two: the package compares its
// failures by a symbol.
export const lazyCommon = (): unknown => new Proxy(
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

/** What executions have in common: it is frozen where they share a runtime. */
export const shared = [...Object.values(activity), ...Object.values(core)];

export { activity };
