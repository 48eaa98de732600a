import { Dataplane } from '../../dataplane/dataplane.ts';
import { runDataplaneWorker } from './thread.ts';

runDataplaneWorker((options) => new Dataplane(options));
