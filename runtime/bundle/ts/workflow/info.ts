import { decodeSearchAttributes, decodeTypedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes';
import { Activator } from '@temporalio/workflow/lib/internals';

// What workflowInfo() gives has some 35 members, most of them undefined or empty, and most executions never ask for it: until
// then they hold those that have a value, and inherit the rest. Code never sees that object.

const members = Symbol('members');
const shapes = new Map<string, object>();
let last: any = { [members]: [] }; // most are alike
const empty: Record<string, () => unknown> = {
  searchAttributes: () => decodeSearchAttributes(undefined),
  typedSearchAttributes: () => decodeTypedSearchAttributes(undefined),
  memo: () => ({}),
};

/** Gives an execution's info with the same values that holds less. */
export function fold(info: any): any {
  const names = Object.keys(info);
  const plain = Object.keys(info.searchAttributes).length === 0;
  const bare = Object.keys(info.memo).length === 0;
  const folded = Object.create(shapeOf(names));
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const value = info[name];
    if (value === undefined || (bare && name === 'memo') || (plain && (name === 'searchAttributes' || name === 'typedSearchAttributes'))) continue;
    folded[name] = value;
  }
  return folded;
}

/** Gives what was folded as it was; all else as it is. */
export function unfold(info: any): any {
  const names: string[] | undefined = info[members];
  if (!names) return info;
  const whole: any = {};
  names.forEach((name) => {
    whole[name] = !Object.hasOwn(info, name) && Object.hasOwn(empty, name) ? empty[name]!() : info[name];
  });
  return whole;
}

function shapeOf(names: string[]): object {
  const known: string[] = last[members];
  let i = names.length === known.length ? 0 : -1;
  while (i >= 0 && i < names.length && names[i] === known[i]) i++;
  if (i === names.length) return last;
  const key = names.join();
  let shape: any = shapes.get(key);
  if (!shape) {
    shape = Object.fromEntries(names.map((name) => [name, undefined]));
    shape[members] = names;
    shapes.set(key, shape);
  }
  last = shape;
  return shape;
}

const mutate = Activator.prototype.mutateWorkflowInfo;
Activator.prototype.mutateWorkflowInfo = function (change) {
  mutate.call(this, (info) => change(unfold(info)));
};
