import { proxyActivities } from '@temporalio/workflow';

// transformData is built in; priceOrder is this project's component.
const { transformData, priceOrder } = proxyActivities<any>({ startToCloseTimeout: '10s' });

interface Order {
  customer: string;
  items: { name: string; quantity: number; price: number }[];
}

export async function orderIntake(order: Order): Promise<string> {
  const customer = await transformData({ data: order.customer, transformation: 'uppercase' });
  const total = await priceOrder(order.items);
  return `${customer} pays ${total.toFixed(2)}`;
}
