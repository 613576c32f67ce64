/*
 * After the lock, starts as many threads as it is told and writes how many
 * there are.
 *
 *   threads /.confine/lock COUNT
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_the_gate(void *unused) {
  pthread_mutex_lock(&gate);
  return unused;
}

int main(int argc, char **argv) {
  struct statfs status;
  char text[32];
  pthread_t thread;
  long count, started = 0;

  if (argc != 3)
    return 2;
  count = atol(argv[2]);
  pthread_mutex_lock(&gate);
  statfs(argv[1], &status);
  while (started < count &&
         pthread_create(&thread, NULL, wait_at_the_gate, NULL) == 0)
    started++;
  snprintf(text, sizeof(text), "%ld\n", started);
  if (write(1, text, strlen(text)) < 0)
    return 4;
  _exit(0);
}
