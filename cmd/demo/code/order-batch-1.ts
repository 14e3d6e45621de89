import { executeChild } from '@temporalio/workflow';

// Each order is a child workflow: another row of this project, by its kebab name.
export async function orderBatch(orders: unknown[]): Promise<string[]> {
  return Promise.all(orders.map((order) => executeChild('order-intake', { args: [order] })));
}
