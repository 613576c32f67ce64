/*
 * After the lock, starts as many threads as it is told and writes how many
 * there are. Greedily: each thread starts others, all at once, until none can.
 *
 *   threads /.confine/lock COUNT [greedily]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_long started, finished, most;

static void *wait_at_the_gate(void *unused) {
  pthread_mutex_lock(&gate);
  return unused;
}

static void *start_others(void *is_thread) {
  bool has_started = true;
  pthread_t thread;

  while (has_started && atomic_load(&started) < most) {
    /* Counted before it is there: it may finish before this one goes on. */
    atomic_fetch_add(&started, 1);
    has_started = pthread_create(&thread, NULL, start_others, "yes") == 0;
    if (!has_started)
      atomic_fetch_sub(&started, 1);
  }
  if (is_thread == NULL)
    return NULL;
  atomic_fetch_add(&finished, 1);
  return wait_at_the_gate(is_thread);
}

static void start_greedily(void) {
  start_others(NULL);
  /* Who has not finished may be about to start one. */
  while (atomic_load(&finished) != atomic_load(&started))
    sched_yield();
}

static void start_one_by_one(void) {
  pthread_t thread;

  while (started < most &&
         pthread_create(&thread, NULL, wait_at_the_gate, NULL) == 0)
    started++;
}

int main(int argc, char **argv) {
  struct statfs status;
  char text[32];

  if (argc < 3)
    return 2;
  most = atol(argv[2]);
  pthread_mutex_lock(&gate);
  statfs(argv[1], &status);
  if (argc > 3)
    start_greedily();
  else
    start_one_by_one();
  snprintf(text, sizeof(text), "%ld\n", atomic_load(&started));
  if (write(1, text, strlen(text)) < 0)
    return 4;
  _exit(0);
}
