import { sep } from "node:path";
import type { FindingLocation, Search } from "./secret-search.ts";

type NamedLocation = Omit<FindingLocation, "file"> & { readonly within: "name" | "ref" };

const SEPARATORS: ReadonlySet<number> = new Set([47, sep.charCodeAt(0)]);
const NUL = Buffer.from([0]);
const BATCH = 65_536;

/** Searches names of files, folders, branches and tags. Many at once, since an inspection for each would take longer than git. */
export class NameSearch {
  private readonly search: Search;
  private readonly batch: { readonly name: Buffer; readonly location: NamedLocation }[] = [];
  private readonly reported = new Set<string>();
  private size = 0;

  constructor(search: Search) {
    this.search = search;
  }

  add(name: Buffer, location: NamedLocation): void {
    // A copy: the buffer may be a part of a larger one.
    this.batch.push({ name: Buffer.from(name), location });
    this.size += name.length + 1;
    if (this.size > BATCH) this.flush();
  }

  flush(): void {
    const batch = this.batch.splice(0);
    this.size = 0;
    const all = Buffer.concat(batch.flatMap(({ name }) => [name, NUL]));
    if (this.search.inspect(all).findings.length === 0) return;
    for (const { name, location } of batch) this.report(name, location);
  }

  /** Reports each variable for the shortest folder that has it, once: else each file in the folder would be reported. */
  private report(name: Buffer, location: NamedLocation): void {
    if (this.search.inspect(name).findings.length === 0) return;
    const seen = new Set<string>();
    for (let end = 1; end <= name.length; end += 1) {
      if (end < name.length && !SEPARATORS.has(name[end] ?? 0)) continue;
      const part = name.subarray(0, end);
      const findings = this.search.inspect(part).findings.filter(({ form }) => {
        if (seen.has(form.name)) return false;
        seen.add(form.name);
        const key = `${form.name}\0${part.toString("latin1")}`;
        const isNew = !this.reported.has(key);
        this.reported.add(key);
        return isNew;
      });
      if (findings.length === 0) continue;
      // With the separator of a folder.
      const file = this.search.shown(name.subarray(0, end + 1));
      this.search.add({ ...location, file }, { findings, more: 0 });
    }
  }
}
