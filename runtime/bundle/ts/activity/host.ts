import type { Info } from '@temporalio/activity';
import type { LogLevel, LogMetadata } from './core';

/** What Go gives the bundle when it is loaded into the runtime of one execution. */
export interface Host {
  /** What activityInfo() returns. */
  info(): Info;
  /** Records a heartbeat; never waits. */
  heartbeat(details: unknown): void;
  /** One line of the activity's log. */
  log(level: LogLevel, message: string, meta?: LogMetadata): void;
  /** What Go gives the client of getClient(). */
  client(): import('../common/client').ClientHost;
  /** Takes a value of metricMeter. */
  measure: import('../common/meter').Measure;
  /** The other bundle, ts/common, evaluated when it's first asked for. */
  common(): typeof import('../common/entry');
}

/** The wrapper around the bundle has this parameter. */
declare const __host: Host;
export const host = __host;
