/*
 * Changes the signals that this thread blocks, by the system call itself: the functions of musl leave out the real-time
 * signals 32 to 34. A set of signals has a bit for each, of which SIGHUP's is the lowest.
 */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static const uint64_t ALL_SIGNALS = ~(uint64_t)0;

static inline uint64_t signal_bit(int signal) { return (uint64_t)1 << (signal - 1); }

/*
 * Adds signals to the blocked ones (SIG_BLOCK), removes them (SIG_UNBLOCK), or replaces the whole set (SIG_SETMASK).
 * Returns the former set.
 */
static inline uint64_t change_mask(int how, uint64_t signals) {
  uint64_t former = 0;
  syscall(SYS_rt_sigprocmask, how, &signals, &former, sizeof signals);
  return former;
}
