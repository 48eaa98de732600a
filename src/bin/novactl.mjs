#!/usr/bin/env node
import { launch } from '../../scripts/launch.mjs';

await launch(new URL('./novactl.ts', import.meta.url));
