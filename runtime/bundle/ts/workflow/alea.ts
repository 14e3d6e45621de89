import { host } from './host';

// The package seeds a generator for each execution. Here numbers come from Go; see entry.ts for the named streams.
export type RNG = () => number;

const main: RNG = Object.freeze(() => host.random(''));

export const alea = (_seed: number[]): RNG => main;
