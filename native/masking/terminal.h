/* Pseudo-terminals by the kernel's own interface, since those of glibc and musl differ. */
#include <asm/termbits.h>
#include <sys/ioctl.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/* Opens both sides. Returns 0 or an error number. */
static int open_terminal(int *master, int *slave) {
  const int unlocked = 0;
  *master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (*master < 0) return errno;
  *slave = -1;
  if (ioctl(*master, TIOCSPTLCK, &unlocked) == 0) {
    *slave = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  }
  if (*slave >= 0) return 0;
  const int error = errno;
  close(*master);
  return error;
}

/* As cfmakeraw(3): each key is a byte, and output is not changed. */
static void make_raw(struct termios *settings) {
  settings->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXOFF);
  settings->c_oflag &= ~(tcflag_t)OPOST;
  settings->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  settings->c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
  settings->c_cflag |= CS8;
  settings->c_cc[VMIN] = 1;
  settings->c_cc[VTIME] = 0;
}
