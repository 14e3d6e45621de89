// All of @temporalio/common for activities: evaluated when an activity asks for what ts/activity hasn't got, or fails.
import * as common from '@temporalio/common';
import * as encoding from '@temporalio/common/lib/encoding';
import * as errors from '@temporalio/common/lib/errors';
import * as failure from '@temporalio/common/lib/failure';
import * as interfaces from '@temporalio/common/lib/interfaces';
import * as searchAttributes from '@temporalio/common/lib/search-attributes';
import * as time from '@temporalio/common/lib/time';
import * as typeHelpers from '@temporalio/common/lib/type-helpers';
import * as workflowOptions from '@temporalio/common/lib/workflow-options';
import * as payloadConverter from '@temporalio/common/lib/converter/payload-converter';
import * as client from './client';

/** Part of @temporalio/client: what code compares errors with. */
const clientModule = { ...common, ...client, clientOf: undefined };
for (const name of ['Client', 'Connection', 'WorkflowClient', 'ScheduleClient', 'AsyncCompletionClient']) {
  (clientModule as any)[name] = class {
    constructor() {
      throw new TypeError(`Activities make no ${name} of their own: use getClient() of @temporalio/activity`);
    }
    static connect() {
      throw new TypeError('Activities make no Connection of their own: use getClient() of @temporalio/activity');
    }
  };
}

const modules: Record<string, unknown> = {
  '@temporalio/common': common,
  '@temporalio/client': clientModule,
  '@temporalio/common/lib/encoding': encoding,
  '@temporalio/common/lib/errors': errors,
  '@temporalio/common/lib/failure': failure,
  '@temporalio/common/lib/interfaces': interfaces,
  '@temporalio/common/lib/search-attributes': searchAttributes,
  '@temporalio/common/lib/time': time,
  '@temporalio/common/lib/type-helpers': typeHelpers,
  '@temporalio/common/lib/workflow-options': workflowOptions,
  '@temporalio/common/lib/converter/payload-converter': payloadConverter,
};

export function resolve(name: string): unknown {
  const found = modules[name];
  if (!found) {
    throw new TypeError(`Can't import '${name}'; activity code may import @temporalio/activity, ${Object.keys(modules).join(', ')}`);
  }
  return found;
}

/** The failure that Temporal's own worker sends, in the shape of temporal.api.failure.v1.Failure. */
export function failureOf(error: unknown): unknown {
  return common.defaultFailureConverter.errorToFailure(error, common.defaultPayloadConverter);
}

export const { clientOf } = client;

export { meterOf } from './meter';
