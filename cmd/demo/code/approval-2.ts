import { condition, defineQuery, defineSignal, setHandler } from '@temporalio/workflow';

export const approve = defineSignal<[string]>('approve');
export const status = defineQuery<string>('status');

export async function approval(subject: string): Promise<string> {
  const by: string[] = [];
  setHandler(approve, (name) => {
    by.push(name);
  });
  setHandler(status, () => `${by.length} of 2 approvals`);
  await condition(() => by.length >= 2);
  return `${subject}: approved by ${by.join(' and ')}`;
}
