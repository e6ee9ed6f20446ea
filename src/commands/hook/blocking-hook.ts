/** The status by which a hook blocks the tool. Agents take any other as a hook that has no say. */
export const BLOCKING = 2;
