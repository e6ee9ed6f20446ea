/** The exit status by which a hook blocks the tool. Agents ignore a hook that fails with any other status. */
export const BLOCKING = 2;
