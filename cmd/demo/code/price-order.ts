// A custom component: ordinary TypeScript, free to call the outside world.
export async function priceOrder(items: { quantity: number; price: number }[]): Promise<number> {
  return items.reduce((sum, item) => sum + item.quantity * item.price, 0);
}
