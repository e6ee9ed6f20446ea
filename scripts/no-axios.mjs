// Stands in for axios in the bundle: the ESC SDK imports it as its default client, and is always given our own.
export default undefined;
