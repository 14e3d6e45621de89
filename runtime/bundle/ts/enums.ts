// Converters between the names and the numbers of the protocol's enums. The package makes all their tables when it is
// evaluated, for a seventh of the time that takes; here each is made at the first call.
// @ts-ignore: the name is the generator's
import * as original from 'enums-helpers-itself';

export const makeProtoEnumConverters = (...args: [any, any]) => {
  let made: readonly [any, any] | undefined;
  const converters = () => (made ??= original.makeProtoEnumConverters(...args) as readonly [any, any]);
  return [(input: any) => converters()[0](input), (input: any) => converters()[1](input)] as any;
};
