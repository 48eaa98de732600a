import { runDataplaneWorker } from '../../src/agent/worker/thread.ts';
import { FakeDataplane } from './fake-dataplane.ts';

runDataplaneWorker((options) => new FakeDataplane(options));
