/** An object of which only this much is there: to ask for anything else is to leave to Bun. */
export type Only = <Part extends object>(what: string, part: Part) => Part;

/** @param leave what tells of what was asked for, and leaves */
export function onlyWith(leave: (what: string) => never): Only {
  return (what, part) =>
    new Proxy(part, {
      get: (target, name) => (Reflect.has(target, name) ? Reflect.get(target, name) : leave(`${what}.${String(name)}`)),
      has: (target, name) => Reflect.has(target, name) || leave(`${what}.${String(name)}`),
    });
}
