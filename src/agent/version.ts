import manifest from '../../package.json' with { type: 'json' };

/** Of this program, for the hello to the controller. */
export const AGENT_VERSION: string = manifest.version;
