/*
 * System calls without the C library: for the monitor, which has none, and for signals, because the C libraries keep some
 * real-time signals for themselves, and their functions refuse these.
 */
#pragma once

/*
 * Makes the system call of this number with the arguments `a` to `e`; the kernel ignores those that the call does not have.
 * Returns its result, or the negative number of an error.
 */
static long raw_call(long number, long a, long b, long c, long d, long e) {
#if defined __x86_64__
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
#elif defined __aarch64__
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
#error "no system calls for this processor"
#endif
}
