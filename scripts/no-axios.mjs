// Replaces axios in the bundle: the ESC SDK imports it as its default client, but always gets our own.
export default undefined;
