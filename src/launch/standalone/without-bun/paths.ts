import type { Only } from "./only.ts";

/** The part of node:path (POSIX) that a start needs, for absolute paths. */
export function paths(only: Only, leave: (what: string) => never): object {
  /** The names from the root on. */
  const namesIn = (path: string): readonly string[] => {
    if (!path.startsWith("/")) leave("a relative path");
    const names: string[] = [];
    for (const name of path.split("/")) {
      if (name === "..") names.pop();
      else if (name !== "" && name !== ".") names.push(name);
    }
    return names;
  };
  const joined = (names: readonly string[]): string => `/${names.join("/")}`;
  const resolve = (from: string, to: string): string => joined(namesIn(to.startsWith("/") ? to : `${from}/${to}`));
  return only("path", {
    sep: "/",
    // Of others what it gives is written in another way.
    dirname: (path: string) => (resolve(path, "") === path ? joined(namesIn(path).slice(0, -1)) : leave("dirname")),
    relative: (from: string, to: string) => {
      const [here, there] = [namesIn(from), namesIn(to)];
      const common = here.findIndex((name, index) => name !== there[index]);
      const shared = common === -1 ? here.length : common;
      return [...here.slice(shared).map(() => ".."), ...there.slice(shared)].join("/");
    },
    resolve,
  });
}
