/** Planted as the token and as values; never to be seen in any output. */
export const SENTINEL_TOKEN = "pul-5e4719e15e4719e15e4719e15e4719e15e4719e1";
export const SENTINEL_SECRET = "sentinel-secret-1f0c7ab2";
