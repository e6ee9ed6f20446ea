type L = (...a: unknown[]) => unknown;
export class EventEmitter {
  #l = new Map<string | symbol, L[]>();
  on(e: string, f: L): this { if (this.#l.has("newListener")) this.emit("newListener", e, f); const l = this.#l.get(e) ?? []; this.#l.set(e, [...l, f]); return this; }
  addListener(e: string, f: L): this { return this.on(e, f); }
  once(e: string, f: L): this { const g = (...a: unknown[]) => { this.removeListener(e, g); return f(...a); }; return this.on(e, g); }
  removeListener(e: string, f: L): this { this.#l.set(e, (this.#l.get(e) ?? []).filter((x) => x !== f)); this.emit("removeListener", e, f); return this; }
  removeAllListeners(e: string): this { for (const f of this.listeners(e)) this.removeListener(e, f); return this; }
  emit(e: string, ...a: unknown[]): boolean { const l = this.#l.get(e) ?? []; for (const f of l) f.apply(this, a); return l.length > 0; }
  listeners(e: string): L[] { return [...(this.#l.get(e) ?? [])]; }
  listenerCount(e: string): number { return (this.#l.get(e) ?? []).length; }
  eventNames(): (string | symbol)[] { return [...this.#l.keys()].filter((k) => (this.#l.get(k) ?? []).length > 0); }
}
