/** The least time between two looks that answers of 401 have caused: a wrong key must not become a load for ESC. */
const PAUSE_MS = 10_000;

/**
 * Returns a function that looks now if keys have changed, for a 401 of a service. All 401s during a look share it, and
 * those soon after it cause none.
 */
export function lookSeldom(
  look: () => Promise<void>,
  now: () => number = () => performance.now(),
): () => Promise<void> {
  let last = -Infinity;
  let current: Promise<void> | undefined;
  return () => {
    if (current !== undefined) return current;
    if (now() - last < PAUSE_MS) return Promise.resolve();
    last = now();
    // A look that fails has told its reason elsewhere; the key is then the present one.
    const running = look().catch(() => {});
    current = running.finally(() => {
      current = undefined;
    });
    return current;
  };
}
