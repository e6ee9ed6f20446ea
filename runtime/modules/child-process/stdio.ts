/** The descriptors of a child: the option `stdio`. */
import { invalidValue } from "../../errors.ts";
import { natives } from "../../native.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  readonly makePair: () => readonly [own: number, childs: number] | number;
}

const native = natives<Natives>();

export interface Stdio {
  readonly kind: "pipe" | "given" | "ignore";
  /** The child's side; -1 for "ignore". */
  readonly childs: number;
  /** This side of a pair of sockets; -1: none. */
  readonly own: number;
}

/** Opens a pair of sockets for each pipe, as libuv does. @returns the number of an error if one cannot be opened */
export function openStdio(option: unknown): readonly Stdio[] | number {
  // All entries are checked before the first pair is opened, so that an invalid one leaves nothing open.
  const checked = kinds(option).map(checkKind);
  const opened: Stdio[] = [];
  for (const kind of checked) {
    const next = open(kind);
    if (typeof next === "number") {
      closeOwn(opened);
      closeChilds(opened);
      return next;
    }
    opened.push(next);
  }
  return opened;
}

export function closeChilds(stdio: readonly Stdio[]): void {
  for (const { own, childs } of stdio) if (own !== -1) native.close(childs);
}

export function closeOwn(stdio: readonly Stdio[]): void {
  for (const { own } of stdio) if (own !== -1) native.close(own);
}

function kinds(option: unknown): readonly unknown[] {
  const list = option ?? "pipe";
  if (Array.isArray(list)) return list;
  if (list === "pipe" || list === "ignore" || list === "inherit") return [list, list, list];
  throw invalidValue("stdio", list);
}

/** @returns the descriptor of this process that the child shares, or how the child's one is made */
function checkKind(one: unknown, index: number): number | "pipe" | "ignore" {
  const kind = one ?? (index < 3 ? "pipe" : "ignore");
  if (kind === "ignore") return kind;
  if (kind === "inherit") return index;
  if (typeof kind === "number" && kind >= 0) return kind;
  if (kind !== "pipe" && kind !== "overlapped") throw invalidValue("stdio", kind);
  return "pipe";
}

function open(kind: number | "pipe" | "ignore"): Stdio | number {
  if (kind === "ignore") return { kind, childs: -1, own: -1 };
  if (typeof kind === "number") return { kind: "given", childs: kind, own: -1 };
  const pair = native.makePair();
  if (typeof pair === "number") return pair;
  return { kind: "pipe", own: pair[0], childs: pair[1] };
}
