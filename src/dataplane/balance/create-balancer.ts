import type { LoadBalancingPolicy } from '../../model/cluster.ts';
import type { Context } from '../context.ts';
import type { Balancer, TimedTarget } from './balancer.ts';
import { HashedChoice } from './hashed-choice.ts';
import { LeastRequest } from './least-request.ts';
import { PeakEwma } from './peak-ewma.ts';
import { RandomChoice } from './random.ts';
import { RoundRobin } from './round-robin.ts';
import { TwoChoices } from './two-choices.ts';

export function createBalancer<T extends TimedTarget>(
  policy: LoadBalancingPolicy,
  context: Pick<Context, 'random' | 'time' | 'buildTable'>,
): Balancer<T> {
  switch (policy) {
    case 'RoundRobin':
      return new RoundRobin();
    case 'Random':
      return new RandomChoice(context.random);
    case 'LeastRequest':
      return new LeastRequest();
    case 'P2C':
      return new TwoChoices(context.random);
    case 'EWMA':
      return new PeakEwma(context.random, context);
    case 'RingHash':
    case 'Maglev':
      return new HashedChoice(policy, context.random, context.buildTable);
  }
}
