/**
 * The exit status by which a hook of a coding agent blocks the tool. Agents ignore a hook that fails with any other status.
 */
export const BLOCKING_STATUS = 2;
