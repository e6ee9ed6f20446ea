import { natives } from "../native.ts";
const native = natives<any>();
export class Buffer extends Uint8Array {
  static from(x: any, e = "utf8"): any { if (typeof x === "string") { const b = e === "latin1" ? Uint8Array.from(x, (c) => c.charCodeAt(0)) : native.encodeUtf8(x); return new Buffer(b.buffer, b.byteOffset, b.length); } if (x instanceof ArrayBuffer) return new Buffer(x); const b = new Buffer(x.length); b.set(x); return b; }
  static alloc(n: number): any { return new Buffer(n); }
  static allocUnsafe(n: number): any { return new Buffer(n); }
  static byteLength(s: any): number { return typeof s === "string" ? native.encodeUtf8(s).length : s.length; }
  static concat(l: any[]): any { const b = new Buffer(l.reduce((n, x) => n + x.length, 0)); let at = 0; for (const x of l) { b.set(x, at); at += x.length; } return b; }
  toString(e = "utf8", a = 0, z = this.length): any { const p = this.subarray(a, z); return e === "latin1" ? Array.from(p, (c) => String.fromCharCode(c)).join("") : native.decodeUtf8(p); }
}
export function isUtf8(b: any): boolean { return !native.decodeUtf8(b).includes("\uFFFD"); }
native.useBuffer(Buffer.prototype);
