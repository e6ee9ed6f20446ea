/** The least time between two looks that answers of 401 have caused: a wrong key must not become a load for ESC. */
const PAUSE_MS = 10_000;

/**
 * Returns a function to be called for each 401 of a service, which has `look` ask ESC whether keys have changed. All 401s
 * during a look share it, and those soon after it cause none.
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
    // `look` has reported the failure itself; the key stays as it is.
    const running = look().catch(() => {});
    current = running.finally(() => {
      current = undefined;
    });
    return current;
  };
}
