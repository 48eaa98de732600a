import { SCENARIOS } from './scenarios/catalogue.ts';
import { type SimulationOptions, type Tally, tally } from './simulate.ts';

export interface SeedsTask extends Omit<SimulationOptions, 'scenario'> {
  readonly scenario: string;
}

/** What a thread of the runner does. */
export default function run({ scenario, ...options }: SeedsTask): Promise<Tally> {
  const known = SCENARIOS.find(({ name }) => name === scenario);
  if (known === undefined) throw new Error(`there is no scenario ${scenario}`);
  return tally({ ...options, scenario: known });
}
