/*
 * Starts a program in a session with a terminal, as a shell would:
 *
 *   terminal PROGRAM ARGUMENT...
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int status, master, slave;
  pid_t child;

  if (argc < 2 || (setsid() < 0 && getsid(0) != getpid()))
    return 121;
  master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
    return 122;
  /* The first one that the leader of a session opens is its own. */
  slave = open(ptsname(master), O_RDWR | O_CLOEXEC);
  if (slave < 0)
    return 123;
  child = fork();
  if (child < 0)
    return 124;
  if (child == 0) {
    execv(argv[1], argv + 1);
    _exit(126);
  }
  /* The ends of these are the child's to tell. */
  for (int fd = 0; fd <= 4; fd++)
    close(fd);
  if (waitpid(child, &status, 0) != child)
    return 125;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
