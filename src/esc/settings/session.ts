/** The life of an opened environment by the service's own default, in milliseconds. Minted credentials may end with it. */
export const SESSION_MS = 3_600_000;
