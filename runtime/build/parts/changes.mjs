// Changes of sources for the executables for Linux.

/** Returns a function that finds the text from one place to another, which stays. */
export function between(from, to) {
  return (text) => {
    const start = text.indexOf(from);
    return text.slice(start, text.indexOf(to, start));
  };
}

/**
 * Returns the text with changes.
 *
 * @param path of the source, for errors
 * @param changes of each: the old text or a function that finds it, the new text or a function that makes it of the old one, and how often
 *   it occurs, once if that is left out
 */
export function changed(text, path, changes) {
  let result = text;
  for (const [from, to, places = 1] of changes) {
    const old = typeof from === "string" ? from : from(result);
    const parts = result.split(old);
    if (parts.length !== places + 1) throw new Error(`${path} has another form now: ${old}`);
    result = parts.join(typeof to === "string" ? to : to(old));
  }
  return result;
}
