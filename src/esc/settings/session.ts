/** How long what is opened lives by the service's own default, in milliseconds. What providers mint may end with it. */
export const SESSION_MS = 3_600_000;
