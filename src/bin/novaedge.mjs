#!/usr/bin/env node
import { launch } from '../../scripts/launch.mjs';

await launch(new URL('./novaedge.ts', import.meta.url));
