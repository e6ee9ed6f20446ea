/* The way from anywhere in a start without Bun to one by Bun. */
#ifndef SOPHIA_RUN_LEAVE_H
#define SOPHIA_RUN_LEAVE_H

/** Where `leave_to_bun` leads (__builtin_setjmp); whoever sets it returns to what starts Bun. */
extern void *way_out[5];

/** Ends the attempt: Bun starts, as if nothing had been. Why is told by an executable that was built to tell it. */
__attribute__((noreturn)) void leave_to_bun(const char *why);

#endif
