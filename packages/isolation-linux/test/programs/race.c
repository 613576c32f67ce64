/*
 * One thread turns a path in memory into another and back while the main
 * thread opens it: whatever the supervisor reads, the kernel might read the
 * other. Writes how often an open succeeded before the lock and after it.
 *
 *   race /.confine/lock HARMLESS_PATH EXISTING_PATH COUNT
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static char path[256];
static const char *paths[2];

static void *flip(void *unused) {
  for (unsigned int i = 0;; i++) {
    memcpy(path, paths[i & 1], strlen(paths[i & 1]) + 1);
    atomic_signal_fence(memory_order_seq_cst);
  }
  return unused;
}

static long count_opened(long count) {
  long opened = 0;

  for (long i = 0; i < count; i++) {
    int fd = open(path, O_RDONLY);

    if (fd < 0)
      continue;
    opened++;
    close(fd);
  }
  return opened;
}

int main(int argc, char **argv) {
  struct statfs status;
  char text[64];
  pthread_t thread;
  long before, count;

  if (argc != 5)
    return 2;
  paths[0] = argv[2];
  paths[1] = argv[3];
  count = atol(argv[4]);
  if (pthread_create(&thread, NULL, flip, NULL) != 0)
    return 3;
  before = count_opened(count);
  statfs(argv[1], &status);
  snprintf(text, sizeof(text), "%ld %ld\n", before, count_opened(count));
  if (write(1, text, strlen(text)) < 0)
    return 4;
  _exit(0);
}
