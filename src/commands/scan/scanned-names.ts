/**
 * Searches names of files, folders, branches and tags for secrets. An inspection of each single name would take longer than
 * git takes to list them, so names are collected and searched many at once. The caller must `flush` at the end.
 */
import { sep } from "node:path";
import type { FindingLocation, SecretSearch } from "./secret-search.ts";

type NameLocation = Omit<FindingLocation, "file"> & { readonly within: "name" | "ref" };

const SLASH = 47;
const PATH_SEPARATORS: ReadonlySet<number> = new Set([SLASH, sep.charCodeAt(0)]);
/** Separates the names of a batch, because no name contains it. */
const NAME_SEPARATOR = Buffer.from([0]);
const MAX_BATCH_BYTES = 65_536;

/** Collects names, and adds the findings in them to a search. */
export class NameSearch {
  private readonly search: SecretSearch;
  private readonly collectedNames: { readonly name: Buffer; readonly location: NameLocation }[] = [];
  /** The variable and the path of each finding that was reported. */
  private readonly reportedKeys = new Set<string>();
  private collectedByteCount = 0;

  constructor(search: SecretSearch) {
    this.search = search;
  }

  add(name: Buffer, location: NameLocation): void {
    // The name is copied, since the buffer may be a part of a larger one, which could then not be freed.
    this.collectedNames.push({ name: Buffer.from(name), location });
    this.collectedByteCount += name.length + 1;
    if (this.collectedByteCount > MAX_BATCH_BYTES) this.flush();
  }

  /** Searches the names that were added since the last flush. */
  flush(): void {
    const batch = this.collectedNames.splice(0);
    this.collectedByteCount = 0;
    const allNames = Buffer.concat(batch.flatMap(({ name }) => [name, NAME_SEPARATOR]));
    if (this.search.inspect(allNames).findings.length === 0) return;
    for (const { name, location } of batch) this.addFindingsInName(name, location);
  }

  /**
   * Reports each variable for the shortest path in which its secret occurs: of `keys/SECRET/a` that is `keys/SECRET/`. Each
   * path is reported once; otherwise each file in the folder would be reported.
   */
  private addFindingsInName(name: Buffer, location: NameLocation): void {
    if (this.search.inspect(name).findings.length === 0) return;
    const variablesInName = new Set<string>();
    for (let end = 1; end <= name.length; end += 1) {
      const isEndOfPath = end === name.length || PATH_SEPARATORS.has(name[end] ?? 0);
      if (!isEndOfPath) continue;
      const path = name.subarray(0, end);
      const findings = this.search.inspect(path).findings.filter(({ form }) => {
        if (variablesInName.has(form.name)) return false;
        variablesInName.add(form.name);
        const key = `${form.name}\0${path.toString("latin1")}`;
        const isNew = !this.reportedKeys.has(key);
        this.reportedKeys.add(key);
        return isNew;
      });
      if (findings.length === 0) continue;
      const pathWithSeparator = name.subarray(0, end + 1);
      this.search.addFindings(
        { ...location, file: this.search.maskName(pathWithSeparator) },
        { findings, unlistedCount: 0 },
      );
    }
  }
}
